/** Frames for the tests of the spool. */
import type { Frame } from '../../../src/contract/frame';

export const AT = 1_700_000_000_123;

export function frameOf(changes: Partial<Frame> = {}): Frame {
  return {
    camera: 'gate',
    capturedAt: AT,
    sequence: 1_700_000_000,
    width: 640,
    height: 360,
    format: 'jpeg',
    bytes: 4,
    ...changes,
  };
}
