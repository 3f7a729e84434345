import type { CameraSpec } from '../src/config/topology';

/** A camera as the configuration completes it: a synthetic one, all else by default. */
export function cameraSpec(changes: Partial<CameraSpec> = {}): CameraSpec {
  return {
    id: 'gate',
    source: { kind: 'test', pattern: 'testsrc2' },
    periodMs: 1000,
    format: 'jpeg',
    quality: 80,
    sampling: 'auto',
    deinterlace: true,
    stallMs: 5000,
    maxDelayMs: 5000,
    frozenMs: 60_000,
    connectMs: 20_000,
    retryMs: 30_000,
    ...changes,
  };
}
