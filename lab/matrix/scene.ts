/** The pictures behind the matrix's clips, drawn by number: what a delivered picture is compared with. Pure. */
import { drawNumber, rowHeight, type RawPicture } from '../picture-number';
import { patchBox, PATCHES, type SceneSize } from './patches';

/**
 * `moving`: a coloured texture that runs sideways, with a box that jumps about: any other picture, a broken one and one
 * of two mixed fields differ greatly from it. `patches`: plain colours, by which those of the delivered picture are judged.
 */
export type SceneKind = 'moving' | 'patches';

/** Points the texture is wider than the picture: it runs through these, then starts again. */
const RUN = 1024;
const textures = new Map<string, RawPicture>();

/** @param time what moves, moves by one step for each; the number, unless a field shows another moment of its frame */
export function sceneAt(kind: SceneKind, size: SceneSize, number: number, time = number): RawPicture {
  const picture = { ...size, rgb: Buffer.alloc(3 * size.width * size.height) };
  if (kind === 'patches') drawPatches(picture);
  else drawMoving(picture, time);
  drawNumber(picture, number);
  return picture;
}

/**
 * Two moments in one frame, as an interlaced camera sends them.
 * @param first of the two fields: that of the even lines is `top`
 */
export function wovenAt(
  kind: SceneKind,
  size: SceneSize,
  number: number,
  first: 'top' | 'bottom',
): RawPicture {
  const fields = fieldTimes(number).map((time) => sceneAt(kind, size, number, time));
  const [earlier, later] = fields;
  if (earlier === undefined || later === undefined) throw new Error('a frame has two fields');
  return weave(first === 'top' ? earlier : later, first === 'top' ? later : earlier);
}

/** The moments a frame's fields show. */
export function fieldTimes(number: number): readonly [number, number] {
  return [2 * number, 2 * number + 1];
}

/** The even lines of one picture and the odd ones of another. */
export function weave(even: RawPicture, odd: RawPicture): RawPicture {
  const rgb = Buffer.from(even.rgb);
  const line = 3 * even.width;
  for (let y = 1; y < even.height; y += 2) odd.rgb.copy(rgb, y * line, y * line, (y + 1) * line);
  return { ...even, rgb };
}

/** One field stretched to a frame: the least a deinterlacer that knows no other picture does. */
export function bob(picture: RawPicture, field: 'top' | 'bottom'): RawPicture {
  const { height } = picture;
  const rgb = Buffer.from(picture.rgb);
  const line = 3 * picture.width;
  for (let y = field === 'top' ? 1 : 0; y < height; y += 2) {
    const above = (y > 0 ? y - 1 : y + 1) * line;
    const below = (y + 1 < height ? y + 1 : y - 1) * line;
    for (let i = 0; i < line; i++)
      rgb[y * line + i] = ((picture.rgb[above + i] ?? 0) + (picture.rgb[below + i] ?? 0) + 1) >> 1;
  }
  return { ...picture, rgb };
}

function drawMoving({ width, height, rgb }: RawPicture, time: number): void {
  const texture = textureFor({ width, height });
  const cell = cellOf(height);
  const shift = (time * Math.max(3, Math.round(cell / 3))) % RUN;
  for (let y = 0; y < height; y++) {
    const from = 3 * (y * texture.width + shift);
    texture.rgb.copy(rgb, 3 * y * width, from, from + 3 * width);
  }
  const side = 2 * cell;
  const left = (time * 17) % (width - side);
  const top = rowHeight(height) + ((time * 11) % (height - rowHeight(height) - side));
  const colour = PATCHES[time % PATCHES.length] ?? [0, 0, 0];
  const line = Buffer.from(Array.from({ length: side }, () => [...colour]).flat());
  for (let y = top; y < top + side; y++) line.copy(rgb, 3 * (y * width + left));
}

function drawPatches({ width, height, rgb }: RawPicture): void {
  for (const [i, colour] of PATCHES.entries()) {
    const { left, top, right, bottom } = patchBox({ width, height }, i);
    const line = Buffer.from(Array.from({ length: right - left }, () => [...colour]).flat());
    for (let y = top; y < bottom; y++) line.copy(rgb, 3 * (y * width + left));
  }
}

/** Points between two corners of the texture; colours change half as fast. */
function cellOf(height: number): number {
  return Math.max(8, Math.round(height / 15));
}

function textureFor({ width, height }: SceneSize): RawPicture {
  const key = `${width}x${height}`;
  let texture = textures.get(key);
  if (texture === undefined) textures.set(key, (texture = drawTexture(width + RUN, height)));
  return texture;
}

/** Noise of one octave, smooth enough for any encoder: brightness in cells, the three colours in cells twice as large. */
function drawTexture(width: number, height: number): RawPicture {
  const cell = cellOf(height);
  const rgb = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const brightness = 90 * (smooth(x / cell, y / cell, 0) - 0.5);
      for (let c = 0; c < 3; c++) {
        const colour = 110 * (smooth(x / cell / 2, y / cell / 2, c + 1) - 0.5);
        rgb[3 * (y * width + x) + c] = Math.round(128 + brightness + colour);
      }
    }
  return { width, height, rgb };
}

function smooth(x: number, y: number, layer: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [ease(x - left), ease(y - top)];
  const upper = mix(corner(left, top, layer), corner(left + 1, top, layer), fx);
  const lower = mix(corner(left, top + 1, layer), corner(left + 1, top + 1, layer), fx);
  return mix(upper, lower, fy);
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** A number from 0 to 1 that looks random and is the same on every machine. */
function corner(x: number, y: number, layer: number): number {
  let hash = Math.imul(x, 374761393) + Math.imul(y, 668265263) + Math.imul(layer, 2147483647);
  hash = Math.imul(hash ^ (hash >>> 13), 1274126177);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0xffffffff;
}
