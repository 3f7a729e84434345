/** The samples taken from a feed, and the decisions about its packets. */
import type { FrameClock } from '../../../contract/frame';

export interface Sample extends Partial<FrameClock> {
  /** Capture time, milliseconds since the epoch; in a sample from the plan, the arrival. */
  readonly capturedAt: number;
  readonly sequence: number;
  /** Periods without a picture since the previous sample. */
  readonly missed?: Periods;
}

export interface Periods {
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/**
 * What happens to a packet. `take`: its picture is wanted. `feed`: a wanted picture will need it, so it is
 * decoded now. `hold`: a wanted picture may need it, so it is held until the next keyframe. `skip`: nothing
 * needs it.
 */
export type Decision =
  { readonly kind: 'take'; readonly sample: Sample } | { readonly kind: 'feed' | 'hold' | 'skip' };
