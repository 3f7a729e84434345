/**
 * How many frames are in flight at once. A frame waits for two round trips, so distant servers need more of
 * them: the window grows while that slows no frame down, and shrinks when frames queue at a server. It is
 * also bounded in bytes. Pure: times are passed in.
 */

/** On one machine more do not raise throughput: RabbitMQ confirms a window of 8 in the time of one (measured). */
const LEAST = 16;
const MOST = 512;
/** With this much in flight nothing more is started: 80 pictures of 300 KB, or a few large ones. */
const MOST_BYTES = 24 * 1024 * 1024;
/**
 * Multiples of the fastest frame's time: up to the first a frame was unhindered, beyond the second it has
 * queued.
 */
const UNHINDERED = 1.5;
const QUEUED = 3;
/** This many windows of frames are judged together, by these shares of them. */
const WINDOWS = 2;
const MOST_UNHINDERED = 0.75;
const MANY_QUEUED = 0.5;
const GROWTH = 1.5;
const DECAY = 0.75;
/** The fastest is remembered for one to two of these periods: the route to a server may become longer. */
const MEMORY_MS = 15_000;

export class FlightWindow {
  #limit = LEAST;
  #frames = 0;
  #bytes = 0;
  #fastestMs = Infinity;
  #fastestBeforeMs = Infinity;
  #sinceMs = -Infinity;
  /** Counts of the frames that are judged together. */
  readonly #round = { frames: 0, unhindered: 0, queued: 0 };

  /** Frames that may be in flight. */
  get limit(): number {
    return this.#limit;
  }

  get isFull(): boolean {
    return this.#frames >= this.#limit || this.#bytes >= MOST_BYTES;
  }

  begin(bytes: number): void {
    this.#frames++;
    this.#bytes += bytes;
  }

  end(bytes: number): void {
    this.#frames--;
    this.#bytes -= bytes;
  }

  /** A frame in flight was delivered, after that time. */
  delivered(tookMs: number, nowMs: number): void {
    this.#remember(tookMs, nowMs);
    const fastest = Math.min(this.#fastestMs, this.#fastestBeforeMs);
    const round = this.#round;
    round.frames++;
    // The backlog alone may use half of the window; with less than that in flight, nothing holds frames back.
    if (tookMs < fastest * UNHINDERED && this.#frames * 2 >= this.#limit) round.unhindered++;
    if (tookMs > fastest * QUEUED) round.queued++;
    if (round.frames >= this.#limit * WINDOWS) this.#judge();
  }

  #judge(): void {
    const { frames, unhindered, queued } = this.#round;
    if (unhindered >= frames * MOST_UNHINDERED) this.#limit = Math.min(MOST, Math.ceil(this.#limit * GROWTH));
    else if (queued >= frames * MANY_QUEUED) this.#limit = Math.max(LEAST, Math.floor(this.#limit * DECAY));
    Object.assign(this.#round, { frames: 0, unhindered: 0, queued: 0 });
  }

  #remember(tookMs: number, nowMs: number): void {
    if (nowMs - this.#sinceMs >= MEMORY_MS) {
      this.#fastestBeforeMs = this.#fastestMs;
      this.#fastestMs = Infinity;
      this.#sinceMs = nowMs;
    }
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
  }
}
