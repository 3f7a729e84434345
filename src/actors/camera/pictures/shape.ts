/** Which settings shape the picture: a decoder of its own, from the next keyframe on. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { CameraSpec } from '../../../config/topology';
import { valuesByEffect } from '../../../config/values-by-effect';

/** True when a picture would be the same. */
export function isShapedAlike(before: CameraSpec, after: CameraSpec): boolean {
  return isDeepStrictEqual(valuesByEffect(before, 'decoder'), valuesByEffect(after, 'decoder'));
}
