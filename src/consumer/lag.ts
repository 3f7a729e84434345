/** Notices a handler that is slower than the cameras. Pure. */

/** Frames handled later than this share of their message's life are late. */
const LATE_SHARE = 0.5;
/** Frames must be late for this long: a shrinking backlog does not mean a slow handler. */
const LASTING_MS = 60_000;

export class Lag {
  #sinceMs: number | undefined;

  /**
   * The report that is due, at most once in {@link LASTING_MS}; undefined if there is none.
   * @param ageMs of the frame whose turn has come
   * @param lifeMs of its message; undefined if unknown
   * @param nowMs of a monotonic clock
   */
  note(ageMs: number, lifeMs: number | undefined, nowMs: number): string | undefined {
    if (lifeMs === undefined || ageMs < lifeMs * LATE_SHARE) {
      this.#sinceMs = undefined;
      return undefined;
    }
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < LASTING_MS) return undefined;
    this.#sinceMs = nowMs;
    const [age, life] = [ageMs, lifeMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
    return `frames wait ${String(age)} of the ${String(life)} that they may before their turn comes, for a minute now: the handlers are slower than the cameras; set latestOnly, or run more consumers`;
  }
}
