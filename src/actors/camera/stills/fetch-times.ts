/**
 * When a still picture is requested: once a period, always at the same phase, which differs by camera. Pure.
 */

/** Phases near the middle of a period, so that an early or late answer still belongs to the same period. */
const EARLIEST = 0.25;
const LATEST = 0.75;
/**
 * Bounds of the interval between two requests, in periods: the first requests move to their phase without a
 * gap.
 */
const NEAREST = 0.6;
const FARTHEST = 1.4;

export class FetchTimes {
  readonly #phase: number;
  #lastAt = 0;

  /** @param camera id, which spreads the requests of many cameras over the period */
  constructor(
    public periodMs: number,
    camera: string,
  ) {
    this.#phase = EARLIEST + (LATEST - EARLIEST) * spread(camera);
  }

  /** A request begins, at this time: milliseconds since the epoch. */
  begun(now: number): void {
    this.#lastAt = now;
  }

  /** Milliseconds to wait for the next request; 0 if the previous one took too long. */
  waitMs(now: number): number {
    const { periodMs } = this;
    const place = (Math.floor(this.#lastAt / periodMs) + 1 + this.#phase) * periodMs;
    const nearest = this.#lastAt + NEAREST * periodMs;
    const farthest = this.#lastAt + FARTHEST * periodMs;
    // A clock that was set back does not stop the camera.
    return Math.min(FARTHEST * periodMs, Math.max(0, Math.min(farthest, Math.max(nearest, place)) - now));
  }
}

/**
 * Evenly from 0 to 1: FNV-1a, then MurmurHash3's final mix, so that names that differ in one digit are far
 * apart.
 */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
