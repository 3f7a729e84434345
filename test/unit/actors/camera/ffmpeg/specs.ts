/** Cameras whose ffmpeg arguments and faults are tested. */
import type { CameraSource, CameraSpec } from '../../../../../src/config/topology';
import { withCredentials } from '../../../../../src/url/url';
import { cameraSpec } from '../../../../../lab/camera-spec';

export const SECRET = 's3cr3t';

export const PASSWORD = `${SECRET}@:/?#%'"\\ ü`;

export function stream(bare: string, transport: 'tcp' | 'udp' = 'tcp'): CameraSource {
  return { kind: 'stream', url: withCredentials(bare, 'ad min', PASSWORD), transport };
}

export function specOf(source: CameraSource, changes: Partial<CameraSpec> = {}): CameraSpec {
  return cameraSpec({ source, ...changes });
}

export const TEST: CameraSource = { kind: 'test', pattern: 'testsrc2' };

export const FILE: CameraSource = { kind: 'file', path: "/media/a b'c.mp4" };

/** The value after an option, among those before (`input`) or after `-i`. */
export function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}
