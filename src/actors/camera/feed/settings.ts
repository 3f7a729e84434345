/** Which settings a feed is opened with. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { CameraSpec } from '../../../config/topology';
import { valuesByEffect } from '../../../config/values-by-effect';
import { receiverInvocation } from '../ffmpeg/receiver-arguments';

/** True when what receives the feed would be the same. Network timeouts are not: the camera's own deadlines come first. */
export function isOpenedAlike(before: CameraSpec, after: CameraSpec): boolean {
  // Asked for one by one, each by the settings of its time.
  if (before.source.kind === 'still' && after.source.kind === 'still') return true;
  if (before.source.kind !== after.source.kind) return false;
  const { connectMs, stallMs } = before;
  const [one, other] = [before, { ...after, connectMs, stallMs }].map((camera) => [
    camera.source,
    ...valuesByEffect(camera, 'reopen'),
    receiverInvocation(camera),
  ]);
  return isDeepStrictEqual(one, other);
}
