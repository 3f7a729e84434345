/** Plain colours below the number, by which those of a delivered picture are judged. Pure. */
import { rowHeight } from '../picture-number';

export type Rgb = readonly [number, number, number];

/** White, black, greys, the corners of the cube, skin, foliage, sky and what lies between. */
export const PATCHES: readonly Rgb[] = [
  [255, 255, 255],
  [0, 0, 0],
  [128, 128, 128],
  [64, 64, 64],
  [192, 192, 192],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
  [0, 255, 255],
  [255, 0, 255],
  [128, 0, 0],
  [0, 128, 0],
  [0, 0, 128],
  [128, 128, 0],
  [0, 128, 128],
  [128, 0, 128],
  [224, 172, 138],
  [94, 61, 43],
  [72, 104, 48],
  [106, 160, 212],
  [214, 126, 44],
  [80, 91, 166],
  [157, 188, 64],
];
const PATCH_COLUMNS = 8;

export interface SceneSize {
  readonly width: number;
  readonly height: number;
}

/** Where a patch is, its right and lower borders not included. */
export function patchBox(
  { width, height }: SceneSize,
  patch: number,
): { left: number; top: number; right: number; bottom: number } {
  const rows = Math.ceil(PATCHES.length / PATCH_COLUMNS);
  const [row, column] = [Math.floor(patch / PATCH_COLUMNS), patch % PATCH_COLUMNS];
  const above = rowHeight(height);
  const edge = (i: number) => above + Math.floor((i * (height - above)) / rows);
  return {
    left: Math.floor((column * width) / PATCH_COLUMNS),
    right: Math.floor(((column + 1) * width) / PATCH_COLUMNS),
    top: edge(row),
    bottom: edge(row + 1),
  };
}
