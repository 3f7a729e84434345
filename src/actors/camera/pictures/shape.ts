/**
 * Which settings shape the picture: a change of them needs a new decoder, from the next keyframe on. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CameraSpec } from '../../../config/topology';
import { valuesByEffect } from '../../../config/values-by-effect';

/** True if both settings yield the same picture. */
export function isShapedAlike(before: CameraSpec, after: CameraSpec): boolean {
  return isDeepStrictEqual(valuesByEffect(before, 'decoder'), valuesByEffect(after, 'decoder'));
}
