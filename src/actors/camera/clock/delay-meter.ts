/**
 * How late packets come: their media times (RTP's, RTMP's) against their arrivals, above the fastest of the stream. Media
 * times only count from one another, and some cameras' are odd: they jump, stand still, or run at another rate. Pure.
 */

/** A packet at its arrival. */
export interface Arrival {
  /** The sender's time of it, milliseconds from anywhere. */
  readonly mediaMs: number;
  /** Milliseconds of a clock that is never set. */
  readonly arrivedMs: number;
  readonly bytes: number;
}

/**
 * ffmpeg lets no time go back: those of packets whose own do follow the last one by one unit each, until they are later
 * again. Nothing is learned of them.
 */
const isMade = (mediaMs: number, lastMs: number, unitMs: number) =>
  Math.abs(mediaMs - lastMs - unitMs) < unitMs / 2;

/** A media time this far before the previous one was reset. Pictures out of display order stay below this. */
const BACK_MS = 1000;
/**
 * Packets that come this much earlier than any before show that the media time jumped forward. What a camera has buffered when it
 * is opened (the pictures since its last keyframe) arrives at once, and stays below this.
 */
const AHEAD_MS = 30_000;
/** A sender's clock may be slower than ours by this fraction before the difference counts as delay. Quartzes differ by 0.0001. */
const DRIFT = 0.001;
/** A delay of this length is real; a picture out of display order, or a delayed read, is shorter. */
const SUSTAINED_MS = 300;

export class DelayMeter {
  /** Arrival minus media time of the fastest packets. */
  #base: number | undefined;
  #last: Arrival | undefined;
  #exactMs = 0;
  /** Delays of the newest {@link SUSTAINED_MS}. */
  #recent: { readonly at: number; readonly delayMs: number }[] = [];
  #jumps = 0;
  #isMade = false;

  /** Milliseconds by which the newest packet came later than the fastest; 0 before there was one. */
  get exactMs(): number {
    return this.#exactMs;
  }

  /** The least of the last moments: what the link holds back, without the jitter of single packets. */
  get sustainedMs(): number {
    return this.#recent.reduce((least, { delayMs }) => Math.min(least, delayMs), this.#exactMs);
  }

  /** Whether the newest packet's time was ffmpeg's own. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Times the media time was set. */
  get jumps(): number {
    return this.#jumps;
  }

  /**
   * @param unitMs milliseconds of one unit of the media time
   * @param mayDrift whether what is late now may be a slow clock: false while the link is known to be full
   */
  came(arrival: Arrival, unitMs: number, mayDrift = true): void {
    const { mediaMs, arrivedMs } = arrival;
    const last = this.#last;
    const offset = arrivedMs - mediaMs;
    this.#last = arrival;
    const wasMade = this.#isMade;
    this.#isMade = last !== undefined && isMade(mediaMs, last.mediaMs, unitMs);
    if (this.#isMade) return;
    if (last === undefined || this.#base === undefined) this.#base = offset;
    else if (wasMade || mediaMs < last.mediaMs - BACK_MS || offset < this.#base - AHEAD_MS)
      this.#jump(offset);
    else if (mayDrift) this.#base += DRIFT * (arrivedMs - last.arrivedMs);
    this.#base = Math.min(this.#base, offset);
    this.#exactMs = offset - this.#base;
    this.#recent = [
      ...this.#recent.filter(({ at }) => at > arrivedMs - SUSTAINED_MS),
      { at: arrivedMs, delayMs: this.#exactMs },
    ];
  }

  /** All packets so far were later than known, by this much. */
  add(delayMs: number): void {
    if (this.#base === undefined) return;
    this.#base -= delayMs;
    this.#exactMs += delayMs;
    this.#recent = this.#recent.map(({ at, delayMs: before }) => ({ at, delayMs: before + delayMs }));
  }

  /** The media time was set; what was late before still is. */
  #jump(offset: number): void {
    this.#base = offset - this.sustainedMs;
    this.#jumps++;
  }
}
