/** Which frames a full spool gives up, as a pure function. */
import type { Frame } from '../../contract/frame';

export interface SpoolBounds {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export interface Overflow {
  readonly frame: Frame;
  readonly reason: 'spool-age' | 'spool-bytes';
}

/** Frames beyond the bounds. `frames` are sorted oldest first, and the oldest go first. */
export function overflow(
  frames: readonly Frame[],
  { maxBytes, maxAgeMs }: SpoolBounds,
  now: number,
): Overflow[] {
  let bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
  const dropped: Overflow[] = [];
  for (const frame of frames) {
    const tooOld = now - frame.capturedAt > maxAgeMs;
    if (!tooOld && bytes <= maxBytes) break;
    dropped.push({ frame, reason: tooOld ? 'spool-age' : 'spool-bytes' });
    bytes -= frame.bytes;
  }
  return dropped;
}
