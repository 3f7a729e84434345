/** A bounded rate, as a token bucket: the backlog must not take the servers from the live frames. */

/** What may be delivered at once after a pause, as a share of a second. */
const BURST_SECONDS = 0.1;

export class Pace {
  #tokens: number;
  #atMs: number;
  readonly #burst: number;

  constructor(
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.#burst = Math.max(1, perSecond * BURST_SECONDS);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /** Milliseconds until the next frame may be sent; 0 if it may be sent now. */
  waitMs(nowMs: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) * this.perSecond) / 1000);
    this.#atMs = nowMs;
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) * 1000) / this.perSecond;
  }

  /** Counts a frame that was sent. */
  take(): void {
    this.#tokens--;
  }
}
