/** Judges the pictures of a row against the ones that were drawn. */
import sharp from 'sharp';
import { decodeKeyframe } from '../../src/consumer/decode-keyframe';
import { numberIn, type RawPicture } from '../picture-number';
import { drawn, type Clip } from './clip';
import { patchError, sizeOf, squaredError, type SquaredError } from './colours';
import type { Delivered, Row } from './row';
import { bob, fieldTimes, sceneAt } from './scene';

/** The squared error may be this many times that of ffmpeg's own decoding and of one encoding, and this much more. */
const ERROR_FACTOR = 2;
const ERROR_FLOOR = 4;
/** The same where `width` is set: ffmpeg does not scale quite as the truth is scaled. */
const SCALED_FLOOR = 60;
/** Bounds for plain colours, 8-bit levels. */
const COLOUR_MEAN = 1;
const COLOUR_MOST = 5;
const MAX_PIXELS = 10_000_000;

/** A delivered picture, decoded where that is possible, with its number where it can be read. */
export interface Picture extends Delivered {
  readonly raw: RawPicture | undefined;
  readonly number: number | undefined;
}

export async function decoded(delivered: Delivered): Promise<Picture> {
  const raw = await rawOf(delivered).catch(() => undefined);
  return { ...delivered, raw, number: raw === undefined ? undefined : numberIn(raw) };
}

async function rawOf({ frame, bytes }: Delivered): Promise<RawPicture> {
  if (frame.format === 'h264' || frame.format === 'h265') {
    const { width, height, data } = await decodeKeyframe(bytes, frame.format, MAX_PIXELS, 'ffmpeg');
    return { width, height, rgb: Buffer.from(data) };
  }
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

export function sizeFault({ recipe, camera }: Row, pictures: readonly Picture[]): string | undefined {
  const width = typeof camera['width'] === 'number' ? camera['width'] : recipe.width;
  const height =
    width === recipe.width ? recipe.height : 2 * Math.round((recipe.height * width) / recipe.width / 2);
  const wanted = sizeOf({ width, height });
  for (const { frame, raw } of pictures) {
    if (sizeOf(frame) !== wanted) return `said to be ${sizeOf(frame)}, should be ${wanted}`;
    if (raw !== undefined && sizeOf(raw) !== wanted) return `is ${sizeOf(raw)}, should be ${wanted}`;
  }
  return undefined;
}

export function verdictFault(pictures: readonly Picture[]): string | undefined {
  const bad = pictures.flatMap(({ frame: { verdict } }) =>
    verdict?.kind === 'healthy' ? [] : [verdict?.kind ?? 'none'],
  );
  return bad.length === 0 ? undefined : `${bad.length} of ${pictures.length} called ${bad[0] ?? ''}`;
}

export async function truthFault(
  row: Row,
  clip: Clip,
  pictures: readonly Picture[],
): Promise<{ fault: string | undefined; error: number }> {
  const frames = row.recipe.fps * row.recipe.seconds;
  const isDrawn = (number: number | undefined): number is number => number !== undefined && number < frames;
  const encoders = await clip.reference(pictures.map(({ number }) => number).filter(isDrawn));
  let [wrong, worst, unread, undecoded] = [0, 0, 0, 0];
  for (const { raw, number } of pictures) {
    if (raw === undefined) undecoded++;
    else if (!isDrawn(number)) unread++;
    else {
      const share = await errorShare(row, raw, number, encoders.get(number));
      worst = Math.max(worst, share);
      if (share > 1) wrong++;
    }
  }
  const faults = [
    ...(undecoded > 0 ? [`${undecoded} cannot be decoded`] : []),
    ...(unread > 0 ? [`${unread} carry no number`] : []),
    ...(wrong > 0 ? [`${wrong} are not the true frame (error up to ${worst.toFixed(1)} of the bound)`] : []),
  ];
  const fault = faults.length === 0 ? undefined : `of ${pictures.length}: ${faults.join(', ')}`;
  return { fault, error: worst };
}

/** Error as a share of its bound: the greater of brightness and colour, and the nearest if there are several true pictures. */
async function errorShare(
  row: Row,
  raw: RawPicture,
  number: number,
  encoder: SquaredError | undefined,
): Promise<number> {
  let least = Infinity;
  for (const truth of await truths(row, number)) {
    if (sizeOf(truth) !== sizeOf(raw)) return Infinity;
    const { luma, chroma } = squaredError(raw, truth);
    const limit = await errorLimit(row, truth, encoder);
    least = Math.min(least, Math.max(luma / limit.luma, chroma / limit.chroma));
  }
  return least;
}

/** Deinterlaced, either field's moment is true; as it came, the two woven. */
async function truths({ recipe, camera }: Row, number: number): Promise<RawPicture[]> {
  const full = isDeinterlaced({ recipe, camera })
    ? fieldTimes(number).map((time) => sceneAt(recipe.scene, recipe, number, time))
    : [drawn(recipe, number)];
  const width = camera['width'];
  return typeof width === 'number' ? Promise.all(full.map((each) => scaled(each, width))) : full;
}

function isDeinterlaced({ recipe, camera }: Pick<Row, 'recipe' | 'camera'>): boolean {
  return recipe.interlace !== 'none' && camera['deinterlace'] !== 'off' && camera['format'] !== 'keyframe';
}

async function scaled({ width, height, rgb }: RawPicture, to: number): Promise<RawPicture> {
  const high = 2 * Math.round((height * to) / width / 2);
  const source = sharp(rgb, { raw: { width, height, channels: 3 } });
  return { width: to, height: high, rgb: await source.resize(to, high, { fit: 'fill' }).raw().toBuffer() };
}

/** From what ffmpeg's own decoding, one encoding as the camera's, and one stretched field cost. */
async function errorLimit(
  row: Row,
  truth: RawPicture,
  encoder: SquaredError = { luma: 0, chroma: 0 },
): Promise<SquaredError> {
  const parts = [encoder, await encodingError(truth, row.camera)];
  if (isDeinterlaced(row)) parts.push(squaredError(bob(truth, 'top'), truth));
  const floor = row.camera['width'] === undefined ? ERROR_FLOOR : SCALED_FLOOR;
  const sum = (of: keyof SquaredError) => parts.reduce((total, part) => total + part[of], 0);
  return { luma: ERROR_FACTOR * sum('luma') + floor, chroma: ERROR_FACTOR * sum('chroma') + floor };
}

async function encodingError(picture: RawPicture, camera: Row['camera']): Promise<SquaredError> {
  const { width, height, rgb } = picture;
  const { format = 'jpeg' } = camera;
  if (format !== 'jpeg' && format !== 'webp') return { luma: 0, chroma: 0 };
  const quality = typeof camera['quality'] === 'number' ? camera['quality'] : 80;
  const image = sharp(rgb, { raw: { width, height, channels: 3 } });
  const bytes = await (format === 'jpeg' ? image.jpeg({ quality }) : image.webp({ quality })).toBuffer();
  return squaredError({ width, height, rgb: await sharp(bytes).raw().toBuffer() }, picture);
}

export function colours(pictures: readonly Picture[]): {
  mean: number;
  most: number;
  fault: string | undefined;
} {
  const errors = pictures.flatMap(({ raw }) => (raw === undefined ? [] : [patchError(raw)]));
  const mean = Math.max(...errors.map((each) => each.mean));
  const worst = errors.sort((a, b) => b.most - a.most)[0];
  const most = worst?.most ?? NaN;
  const isWrong = !(mean <= COLOUR_MEAN && most <= COLOUR_MOST);
  const seen = worst?.seen.map(Math.round).join(',') ?? '';
  const which = `${worst?.patch.join(',') ?? ''} is ${seen}`;
  const fault = isWrong ? `mean error ${mean.toFixed(1)}, at most ${most.toFixed(1)}: ${which}` : undefined;
  return { mean, most, fault };
}
