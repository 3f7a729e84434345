/** Which settings a feed that is open takes over, and which have to be shown by a new opening. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { cameraSetting, CAMERA_SETTING_NAMES, type CAMERA_EFFECTS } from '../../../config/camera-settings';
import type { CameraSpec } from '../../../config/topology';
import { receiverInvocation } from '../ffmpeg/arguments';

/** Settings that shape the picture: a decoder of its own, from the next keyframe on. */
const SHAPE = settingsWith('decoder');
/** Settings that a feed is opened with, beside its source and the command line of its receiver. */
const OPENING = settingsWith('reopen');

function settingsWith(effect: keyof typeof CAMERA_EFFECTS): readonly string[] {
  return CAMERA_SETTING_NAMES.filter((name) => cameraSetting(name).effect === effect);
}

function valuesOf(camera: CameraSpec, names: readonly string[]): unknown[] {
  const values = { ...camera } as Readonly<Record<string, unknown>>;
  return names.map((name) => values[name]);
}

/** True when what receives the feed would be the same. Network timeouts are not: the camera's own deadlines come first. */
export function isOpenedAlike(before: CameraSpec, after: CameraSpec): boolean {
  // Asked for one by one, each by the settings of its time.
  if (before.source.kind === 'still' && after.source.kind === 'still') return true;
  if (before.source.kind !== after.source.kind) return false;
  const { connectMs, stallMs } = before;
  const [one, other] = [before, { ...after, connectMs, stallMs }].map((camera) => [
    camera.source,
    ...valuesOf(camera, OPENING),
    receiverInvocation(camera),
  ]);
  return isDeepStrictEqual(one, other);
}

/** True when a picture would be the same. */
export function isShapedAlike(before: CameraSpec, after: CameraSpec): boolean {
  return isDeepStrictEqual(valuesOf(before, SHAPE), valuesOf(after, SHAPE));
}
