/** The samples taken from a feed, and the decisions about its packets. */
import type { FrameClock } from '../../../contract/frame';

export interface Sample extends Partial<FrameClock> {
  /** Capture time, milliseconds since the epoch; out of the plan, the arrival it was given. */
  readonly capturedAt: number;
  readonly sequence: number;
  /** Periods without a picture since the sample before. */
  readonly missed?: Periods;
}

export interface Periods {
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/**
 * What happens to a packet. `take`: its picture is wanted. `feed`: a wanted picture will need it, decode it now. `hold`:
 * a wanted picture may need it, until the next keyframe. `skip`: nothing needs it.
 */
export type Decision =
  { readonly kind: 'take'; readonly sample: Sample } | { readonly kind: 'feed' | 'hold' | 'skip' };
