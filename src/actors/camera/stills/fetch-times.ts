/** When a still picture is asked for: once a period, always at the same part of it, another for each camera. Pure. */

/** Parts of a period: near its middle, so that an answer that comes early or late is still of the same one. */
const EARLIEST = 0.25;
const LATEST = 0.75;
/** Parts of a period between two requests: within them the first ones move to their place, and leave no period out. */
const NEAREST = 0.6;
const FARTHEST = 1.4;

export class FetchTimes {
  readonly #phase: number;
  #lastAt = 0;

  /** @param camera whose id spreads the requests of many cameras over the period */
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

/** From 0 to 1, evenly: FNV-1a, and what MurmurHash3 does in the end so that names that differ in a digit are far apart. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
