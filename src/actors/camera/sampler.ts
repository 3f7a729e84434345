/** Keeps one picture per sampling period of wall-clock time, and notices the periods that had none. */

/** How far a feed's clock may be from ours before the time of arrival is used instead. */
const MAX_CLOCK_ERROR_MS = 60_000;
/** A step back by more periods than this is a clock that was set, not a picture out of order. */
const CLOCK_STEP_PERIODS = 5;
/** The clock ran ahead of a steady one by more than that: it was set. Buffered pictures stay below. */
const CLOCK_STEP_MS = 10_000;

export interface Sample {
  /** Capture time, milliseconds since the epoch. */
  readonly capturedAt: number;
  readonly sequence: number;
  /** Periods without a picture since the sample before. */
  readonly missed?: Periods;
  /** Periods that never were: the clock was set forward over them. They come after those missed. */
  readonly skipped?: Periods;
}

export interface Periods {
  readonly firstSequence: number;
  readonly lastSequence: number;
}

export class Sampler {
  #last: { readonly sequence: number; readonly capturedAt: number; readonly steadyMs: number } | undefined;

  constructor(private readonly periodMs: number) {}

  /**
   * Decides on a picture. Undefined means: not needed, this period has its picture.
   * @param pts the picture's own time, milliseconds since the epoch
   * @param arrivedAt the same clock, now
   * @param steadyMs now on a clock that is never set
   */
  sample(pts: number, arrivedAt: number, steadyMs: number): Sample | undefined {
    const capturedAt = Math.abs(pts - arrivedAt) > MAX_CLOCK_ERROR_MS ? arrivedAt : pts;
    const sequence = Math.floor(capturedAt / this.periodMs);
    const last = this.#last;
    if (last !== undefined && sequence <= last.sequence && last.sequence - sequence <= CLOCK_STEP_PERIODS)
      return undefined;
    this.#last = { sequence, capturedAt, steadyMs };
    if (last === undefined || sequence <= last.sequence + 1) return { capturedAt, sequence };
    const stepMs = capturedAt - last.capturedAt - (steadyMs - last.steadyMs);
    const skipped = stepMs > CLOCK_STEP_MS ? Math.floor(stepMs / this.periodMs) : 0;
    const firstSkipped = Math.max(last.sequence + 1, sequence - skipped);
    return {
      capturedAt,
      sequence,
      ...periods('missed', last.sequence + 1, firstSkipped - 1),
      ...periods('skipped', firstSkipped, sequence - 1),
    };
  }
}

/** Nothing where the last comes before the first. */
function periods<Name extends string>(
  name: Name,
  firstSequence: number,
  lastSequence: number,
): Partial<Record<Name, Periods>> {
  return lastSequence < firstSequence
    ? {}
    : ({ [name]: { firstSequence, lastSequence } } as Record<Name, Periods>);
}
