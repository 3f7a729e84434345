/**
 * How late packets arrive: arrival minus media time (RTP, RTMP), relative to the fastest packet of the
 * stream. Media times have no absolute origin, and those of some cameras jump, stand still, or run at another
 * rate. Pure.
 */

/** A packet at its arrival. */
export interface Arrival {
  /** The sender's time of the packet, milliseconds from an arbitrary origin. */
  readonly mediaMs: number;
  /** Milliseconds of a clock that is never set. */
  readonly arrivedMs: number;
  readonly bytes: number;
}

/**
 * ffmpeg never lets times go back: where a packet's own time would, ffmpeg writes the last one plus one unit,
 * until the sender's times are later again. Nothing can be learned from such times.
 */
const isMade = (mediaMs: number, lastMs: number, unitMs: number) =>
  Math.abs(mediaMs - lastMs - unitMs) < unitMs / 2;

/** A media time this far before the previous one was reset. Pictures out of display order stay below this. */
const BACK_MS = 1000;
/**
 * Packets this much earlier than any before show that the media time jumped forward. What a camera has
 * buffered when it is opened (the pictures since its last keyframe) arrives at once, and stays below this.
 */
const AHEAD_MS = 30_000;
/** A sender's clock may be slower than ours by this fraction before the difference counts as delay. Quartzes differ by 0.0001. */
const DRIFT = 0.001;
/** A delay that lasts this long is real; pictures out of display order and late reads cause shorter ones. */
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

  /** Milliseconds by which the newest packet was later than the fastest; 0 before the first. */
  get exactMs(): number {
    return this.#exactMs;
  }

  /** The shortest of the recent delays: that of the link, without the jitter of single packets. */
  get sustainedMs(): number {
    return this.#recent.reduce((least, { delayMs }) => Math.min(least, delayMs), this.#exactMs);
  }

  /** Whether ffmpeg made up the newest packet's time. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** How many times the media time has jumped. */
  get jumps(): number {
    return this.#jumps;
  }

  /**
   * @param unitMs milliseconds of one unit of the media time
   * @param mayDrift whether a slow clock may explain the delay: false while the link is known to be full
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

  /** All packets so far turned out to be later than measured, by this much. */
  add(delayMs: number): void {
    if (this.#base === undefined) return;
    this.#base -= delayMs;
    this.#exactMs += delayMs;
    this.#recent = this.#recent.map(({ at, delayMs: before }) => ({ at, delayMs: before + delayMs }));
  }

  /** The media time has jumped; the delay measured before is kept. */
  #jump(offset: number): void {
    this.#base = offset - this.sustainedMs;
    this.#jumps++;
  }
}
