/** How far a picture is from the true one: squared errors of brightness and colour, and of plain patches. Pure. */
import type { RawPicture } from '../picture-number';
import { patchBox, PATCHES, type Rgb } from './patches';

/** Mean squared errors, in squares of 8-bit levels. */
export interface SquaredError {
  readonly luma: number;
  /** Squared error of both colour differences together. */
  readonly chroma: number;
}

export interface PatchError {
  /** Mean over all patches and their three values, in 8-bit levels. */
  readonly mean: number;
  /** The greatest of any. */
  readonly most: number;
  readonly patch: Rgb;
  readonly seen: Rgb;
}

/**
 * Compares luma and colour differences of JFIF (BT.601, full range), whatever the source of the pictures.
 * @throws if the sizes differ
 */
export function squaredError(picture: RawPicture, truth: RawPicture): SquaredError {
  if (picture.rgb.length !== truth.rgb.length || picture.width !== truth.width)
    throw new Error(`pictures of ${sizeOf(picture)} and ${sizeOf(truth)} cannot be compared`);
  let [luma, chroma] = [0, 0];
  for (let i = 0; i < truth.rgb.length; i += 3) {
    const red = (picture.rgb[i] ?? 0) - (truth.rgb[i] ?? 0);
    const green = (picture.rgb[i + 1] ?? 0) - (truth.rgb[i + 1] ?? 0);
    const blue = (picture.rgb[i + 2] ?? 0) - (truth.rgb[i + 2] ?? 0);
    const y = 0.299 * red + 0.587 * green + 0.114 * blue;
    luma += y * y;
    chroma += ((blue - y) / 1.772) ** 2 + ((red - y) / 1.402) ** 2;
  }
  const points = truth.width * truth.height;
  return { luma: luma / points, chroma: chroma / points };
}

export function sizeOf({ width, height }: { width: number; height: number }): string {
  return `${width}x${height}`;
}

/** Error of the middle of each patch, because colour bleeds over its borders. */
export function patchError(picture: RawPicture): PatchError {
  const seen = PATCHES.map((_, i) => meanColour(picture, i));
  const errors = PATCHES.map((patch, i) => patch.map((value, c) => Math.abs(value - (seen[i]?.[c] ?? 0))));
  const worst = errors.map((each) => Math.max(...each));
  const at = worst.indexOf(Math.max(...worst));
  const all = errors.flat();
  return {
    mean: all.reduce((sum, each) => sum + each, 0) / all.length,
    most: worst[at] ?? 0,
    patch: PATCHES[at] ?? [0, 0, 0],
    seen: seen[at] ?? [0, 0, 0],
  };
}

function meanColour(picture: RawPicture, patch: number): Rgb {
  const { left, top, right, bottom } = patchBox(picture, patch);
  const [marginX, marginY] = [(right - left) / 4, (bottom - top) / 4];
  const sums: [number, number, number] = [0, 0, 0];
  let points = 0;
  for (let y = Math.ceil(top + marginY); y < bottom - marginY; y++)
    for (let x = Math.ceil(left + marginX); x < right - marginX; x++, points++)
      for (const c of [0, 1, 2] as const) sums[c] += picture.rgb[3 * (y * picture.width + x) + c] ?? 0;
  return [sums[0] / points, sums[1] / points, sums[2] / points];
}
