/** When a still picture is asked for: once a period, always at the same part of it, another for each camera. Pure. */

/** Parts of a period: near its middle, so that an answer that comes early or late is still of the same one. */
const EARLIEST = 0.25;
const LATEST = 0.75;
/** Parts of a period between two requests at least. */
const NEAREST = 0.5;
const FARTHEST = 1.5;

export class FetchTimes {
  readonly #phase: number;
  #lastAt: number | undefined;

  /** @param camera whose id spreads the requests of many cameras over the period */
  constructor(
    private readonly periodMs: number,
    camera: string,
  ) {
    this.#phase = EARLIEST + (LATEST - EARLIEST) * spread(camera);
  }

  /**
   * Milliseconds to wait for the next request: none for the first, and none where the one before took too long.
   * @param now milliseconds since the epoch
   */
  waitMs(now: number): number {
    const { periodMs } = this;
    if (this.#lastAt === undefined) return 0;
    const earliest = this.#lastAt + NEAREST * periodMs;
    const slot = Math.ceil(earliest / periodMs - this.#phase);
    const next = (slot + this.#phase) * periodMs;
    // A clock that was set back does not stop the camera.
    return Math.min(FARTHEST * periodMs, Math.max(0, next - now));
  }

  begun(now: number): void {
    this.#lastAt = now;
  }
}

/** From 0 to 1, evenly: FNV-1a. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
