/** Which settings a feed is opened with. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { CameraSpec } from '../../../config/topology';
import { valuesByEffect } from '../../../config/values-by-effect';
import { receiverInvocation } from '../ffmpeg/receiver-arguments';

/** True if both open the feed alike. Network timeouts are ignored: the camera's own deadlines pass first. */
export function isOpenedAlike(before: CameraSpec, after: CameraSpec): boolean {
  // Still pictures are requested one by one, each with the settings of that moment.
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
