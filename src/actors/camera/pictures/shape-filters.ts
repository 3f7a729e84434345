/** ffmpeg's filters that give a picture its shape: whole, upright, with square pixels, no wider than wanted. Pure. */
import type { CameraSpec } from '../../../config/topology';
import { UPRIGHT, type Rotation } from '../ffmpeg/rotation';

type Wanted = Pick<CameraSpec, 'format' | 'width' | 'aspect'>;

/** Pixels declared as wider, or higher, than this multiple of the other side are treated as square. */
const MOST_ASPECT = 4;
const TURNS: Readonly<Record<number, readonly string[]>> = {
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/**
 * An interlaced picture is reduced to one field with interpolated lines (bob), which needs no other picture.
 */
export function shapeFilters(
  { format, width, aspect }: Wanted,
  interlaced: boolean,
  { mirrored, degrees }: Rotation = UPRIGHT,
): string[] {
  const whole = interlaced ? ['field=top', 'scale=iw:2*ih'] : [];
  const square = aspect === 'as-sent' ? [] : [squarePixels()];
  // Pictures that sharp encodes are scaled during the conversion to RGB: look.ts.
  const scaled = width === undefined || format !== 'jpeg' ? [] : [`scale=${noWiderThan(width)}`];
  const upright = [...(mirrored ? ['hflip'] : []), ...(TURNS[degrees] ?? [])];
  return [...whole, ...square, ...upright, ...scaled];
}

/** Makes pixels square by enlarging only: wide pixels enlarge the width, high ones the height. */
function squarePixels(): string {
  const isBelievable = `between(sar,1/${MOST_ASPECT},${MOST_ASPECT})`;
  const width = `if(${isBelievable}*gt(sar,1),2*round(iw*sar/2),iw)`;
  const height = `if(${isBelievable}*lt(sar,1),2*round(ih/sar/2),ih)`;
  return `scale=w='${width}':h='${height}',setsar=1`;
}

/** Options of `scale`: a configured width is met exactly, and its height is even; a smaller picture keeps its size. */
export function noWiderThan(width: number): string {
  return `w='min(iw,${width})':h='if(lte(iw,${width}),ih,-2)'`;
}
