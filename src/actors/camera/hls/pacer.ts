/**
 * When each packet of a feed that arrives in bursts is due: spaced by the packets' times, soon after the
 * arrival, but late enough that the next burst arrives before it is needed. Pure; milliseconds of a clock
 * that is never set. Why: docs/capture/feeds.md.
 */

/** Fraction by which packets may be released faster or slower than their times imply. */
const SLEW = 0.03;
/**
 * Media in hand when the next burst arrives, beyond half of a segment: an unchanged playlist is read again
 * after that time (RFC 8216, 6.3.4), so the next segment may suddenly be noticed that much later than earlier
 * ones. This reserve is for fetching it, and for the new ffmpeg that a discontinuity needs on a busy machine.
 */
const RESERVE_MS = 500;
/** The reserve is replenished below this share of its full size; between the two, nothing is changed. */
const LEAST_RESERVE = 0.7;
/** The reserve is the minimum of the last one to two such spans. */
const MEMORY_MS = 30_000;
/** Times that go back by more than this, or ahead by more than can be in hand, start a new run. */
const STEP_BACK_MS = 1000;
const STEP_AHEAD_MS = 10_000;
/** Distance from the last packet of one run of times to the first of the next, until packets have shown it. */
const FIRST_STEP_MS = 40;

export class Pacer {
  /** A packet is due at its time plus this; undefined before the first packet of a run of times. */
  #offsetMs: number | undefined;
  #last: { readonly time: number; readonly dueMs: number } | undefined;
  #stepMs = FIRST_STEP_MS;
  /** Length of the media missing before the next run. */
  #missingMs = 0;
  /** The minimum reserve of this span and of the previous one. */
  #reserve = { sinceMs: -Infinity, least: Infinity, before: Infinity };

  /** @param targetMs the longest segment */
  constructor(private readonly targetMs: number) {}

  /**
   * Milliseconds of media that have arrived and are not due yet; negative if more should have arrived by now.
   */
  inHandMs(nowMs: number): number {
    return this.#last === undefined ? 0 : this.#last.dueMs + this.#stepMs - nowMs;
  }

  /**
   * The next burst has arrived. Must be called at once, because the media in hand at this moment are the
   * reserve.
   */
  burst(nowMs: number): void {
    if (this.#last === undefined) return;
    if (nowMs - this.#reserve.sinceMs > MEMORY_MS)
      this.#reserve = { sinceMs: nowMs, least: Infinity, before: this.#reserve.least };
    this.#reserve.least = Math.min(this.#reserve.least, this.inHandMs(nowMs));
  }

  /**
   * The following packets begin a new run of times.
   * @param missingMs length of the missing media in between
   */
  restart(missingMs = 0): void {
    this.#offsetMs = undefined;
    this.#missingMs += missingMs;
  }

  /**
   * When the packet is due: never before an earlier packet.
   * @param time its own (decoding) time, milliseconds from any origin; undefined if it has none
   */
  due(time: number | undefined, nowMs: number): number {
    const last = this.#last;
    if (time === undefined) return Math.max(nowMs, last?.dueMs ?? nowMs);
    if (last !== undefined && this.#offsetMs !== undefined && this.#hasStepped(time, last)) this.restart();
    if (this.#offsetMs === undefined) return this.#begin(time, nowMs);
    const stepMs = Math.max(0, time - (last?.time ?? time));
    if (stepMs > 0) this.#stepMs = stepMs;
    this.#slew(stepMs);
    const lateMs = nowMs - (time + this.#offsetMs);
    if (lateMs > 0) this.#move(lateMs);
    return this.#give(time);
  }

  #hasStepped(time: number, last: { readonly time: number }): boolean {
    return time < last.time - STEP_BACK_MS || time > last.time + STEP_AHEAD_MS + 2 * this.targetMs;
  }

  /**
   * Begins a run of times after the previous one and the media missing in between, or now if that is past.
   * The first packet of all waits for the reserve: built up later, it would come too late for the first
   * segments.
   */
  #begin(time: number, nowMs: number): number {
    const follows =
      this.#last === undefined ? nowMs + RESERVE_MS : this.#last.dueMs + this.#stepMs + this.#missingMs;
    this.#missingMs = 0;
    this.#offsetMs = Math.max(nowMs, follows) - time;
    return this.#give(time);
  }

  #give(time: number): number {
    const dueMs = Math.max(time + (this.#offsetMs ?? 0), this.#last?.dueMs ?? -Infinity);
    this.#last = { time, dueMs };
    return dueMs;
  }

  /**
   * Moves towards the wanted reserve, so that clock drift does not add up and delay is not kept longer than
   * needed.
   */
  #slew(stepMs: number): void {
    const mostMs = this.targetMs / 2 + RESERVE_MS;
    const reserveMs = Math.min(this.#reserve.least, this.#reserve.before);
    if (reserveMs === Infinity) return;
    const missingMs = Math.max(0, LEAST_RESERVE * mostMs - reserveMs) - Math.max(0, reserveMs - mostMs);
    const mayMoveMs = SLEW * stepMs;
    this.#move(Math.min(mayMoveMs, Math.max(-mayMoveMs, missingMs)));
  }

  /** Makes all further packets due later by this much, which enlarges the reserve. */
  #move(byMs: number): void {
    this.#offsetMs = (this.#offsetMs ?? 0) + byMs;
    this.#reserve.least += byMs;
    this.#reserve.before += byMs;
  }
}
