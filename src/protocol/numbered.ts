/** A picture from which another process of the same camera continues the numbering: no period is skipped or counted twice. */
import type { Frame } from '../contract/frame';

export interface Numbered {
  /** When it arrived, by its machine's clock, milliseconds since the epoch: periods are counted by that time. */
  readonly at: number;
  readonly sequence: number;
}

/** Cameras that come from other nodes of a fleet, with their newest pictures if known. */
export type Arriving = ReadonlyMap<string, Numbered | undefined>;

export function numbered({
  capturedAt,
  sequence,
  clock,
  clockSkewMs = 0,
}: Pick<Frame, 'capturedAt' | 'sequence' | 'clock' | 'clockSkewMs'>): Numbered {
  return { at: clock === 'camera' ? capturedAt - clockSkewMs : capturedAt, sequence };
}
