/** Keeps one picture per sampling period of wall-clock time, and notices the periods that had none. */

/** How far a feed's clock may be from ours before the time of arrival is used instead. */
const MAX_CLOCK_ERROR_MS = 60_000;
/** A step back by more periods than this is a clock that was set, not a picture out of order. */
const CLOCK_STEP_PERIODS = 5;

export interface Sample {
  /** Capture time, milliseconds since the epoch. */
  readonly capturedAt: number;
  readonly sequence: number;
  /** Periods without a picture since the sample before. */
  readonly missed?: { readonly firstSequence: number; readonly lastSequence: number };
}

export class Sampler {
  #last: number | undefined;

  constructor(private readonly periodMs: number) {}

  /**
   * Decides on a picture. Undefined means: not needed, this period has its picture.
   * @param pts the picture's own time, milliseconds since the epoch
   * @param arrivedAt the same clock, now
   */
  sample(pts: number, arrivedAt: number): Sample | undefined {
    const capturedAt = Math.abs(pts - arrivedAt) > MAX_CLOCK_ERROR_MS ? arrivedAt : pts;
    const sequence = Math.floor(capturedAt / this.periodMs);
    const last = this.#last;
    if (last !== undefined && sequence <= last && last - sequence <= CLOCK_STEP_PERIODS) return undefined;
    this.#last = sequence;
    if (last === undefined || sequence <= last + 1) return { capturedAt, sequence };
    return { capturedAt, sequence, missed: { firstSequence: last + 1, lastSequence: sequence - 1 } };
  }
}
