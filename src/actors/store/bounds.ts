/** When the spool has to drop a frame, as a pure function. */
import type { SpoolSpec } from '../../config/topology';

export type OverflowReason = 'spool-age' | 'spool-bytes' | 'spool-frames' | 'spool-free' | 'replay-none';

/** What the spool holds now. */
export interface Holding {
  readonly frames: number;
  readonly bytes: number;
  /** How long its oldest waiting frame has waited. */
  readonly oldestMs: number;
}

/**
 * Why the oldest waiting frame must be dropped; undefined if it may stay. For the disk's free space see
 * LowDisk.
 */
export function overflow(
  { frames, bytes, oldestMs }: Holding,
  { maxAgeMs, maxBytes, maxFrames, replay }: SpoolSpec,
  liveMs: number,
): OverflowReason | undefined {
  if (replay === 'none' && oldestMs > liveMs) return 'replay-none';
  if (oldestMs > maxAgeMs) return 'spool-age';
  if (bytes > maxBytes) return 'spool-bytes';
  return frames > maxFrames ? 'spool-frames' : undefined;
}

/** The bound behind the reason, as the operator set it. */
export function boundOf(reason: OverflowReason, spool: SpoolSpec): string {
  switch (reason) {
    case 'replay-none':
      return 'spool.replay is "none": only live frames are delivered';
    case 'spool-age':
      return `it has waited for spool.maxAgeMs (${spool.maxAgeMs})`;
    case 'spool-bytes':
      return `the spool has reached spool.maxBytes (${spool.maxBytes})`;
    case 'spool-frames':
      return `the spool has reached spool.maxFrames (${spool.maxFrames})`;
    case 'spool-free':
      return `the disk has less than spool.minFreeBytes (${spool.minFreeBytes}) left`;
  }
}
