/** How the delay of a feed has developed: one observation a second, for half a minute. Pure. */

/** Observations of the feed at one time. */
export interface Look {
  readonly at: number;
  readonly mediaMs: number;
  readonly delayMs: number;
  /** Bytes received since the feed was opened. */
  readonly bytes: number;
}

export interface LinkRates {
  /** Kilobits a second, since the delay began to grow. */
  readonly arrivesKbps: number;
  /** Bit rate of the stream, by its own times. */
  readonly streamKbps: number;
}

/** Pictures later than this are marked, and the cause is determined. */
export const MARKED_MS = 500;
/** A delay of this length is not a burst. */
const LASTING_MS = 5000;
/** A delay that grows by less than this within the next constant is steady. */
const STEADY_MS = 100;
const STEADY_OVER_MS = 10_000;
const LOOK_MS = 1000;
const KEPT_MS = 30_000;

/** The early observation is this many seconds after the first packet. */
const EARLY = 2;

export class DelayHistory {
  #looks: Look[] = [];
  #number = 0;
  #early: Look | undefined;

  /** An observation soon after the feed was opened. */
  get early(): Look | undefined {
    return this.#early;
  }

  add(look: Look): void {
    if (this.#number++ === EARLY) this.#early = look;
    this.#looks = [...this.#looks.filter(({ at }) => at > look.at - KEPT_MS), look];
  }

  /** True once every observation of the last {@link LASTING_MS} was late. */
  get isLasting(): boolean {
    const [oldest] = this.#lasting;
    const newest = this.#looks.at(-1);
    if (oldest === undefined || newest === undefined) return false;
    const lasts = newest.at - oldest.at >= LASTING_MS - LOOK_MS;
    return lasts && this.#lasting.every(({ delayMs }) => delayMs >= MARKED_MS);
  }

  /** True while the delay is still growing. */
  get isGrowing(): boolean {
    const [newest] = this.#looks.slice(-1);
    const before = this.#looks.find(({ at }) => at >= (newest?.at ?? 0) - STEADY_OVER_MS);
    return (newest?.delayMs ?? 0) - (before?.delayMs ?? 0) >= STEADY_MS;
  }

  /** The observations since the delay began to grow. */
  get grown(): readonly Look[] {
    const onTime = this.#looks.findLastIndex(({ delayMs }) => delayMs < MARKED_MS);
    return this.#looks.slice(Math.max(0, onTime));
  }

  get grownMs(): number {
    return (this.grown.at(-1)?.delayMs ?? 0) - (this.grown[0]?.delayMs ?? 0);
  }

  get rates(): LinkRates {
    const [first, last] = [this.grown[0], this.grown.at(-1)];
    if (first === undefined || last === undefined) return { arrivesKbps: 0, streamKbps: 0 };
    const kbps = (ms: number) => Math.round((8 * (last.bytes - first.bytes)) / Math.max(1, ms));
    return { arrivesKbps: kbps(last.at - first.at), streamKbps: kbps(last.mediaMs - first.mediaMs) };
  }

  get #lasting(): readonly Look[] {
    const now = this.#looks.at(-1)?.at ?? 0;
    return this.#looks.filter(({ at }) => at > now - LASTING_MS - LOOK_MS / 2);
  }
}
