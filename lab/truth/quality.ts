/** What a JPEG quality means: bytes and fidelity of the camera's encoder against libjpeg-turbo's, on the same pictures. */
import sharp from 'sharp';
import { jpegEncoder } from '../../src/actors/camera/ffmpeg/encoder-arguments';
import { markdownTable } from '../markdown-table';
import { filtered } from './clips';
import { pictures, type SceneName } from './scenes';
import { squaredError } from './shown';

export const SIZE = { width: 1280, height: 720 } as const;
const PICTURES: readonly SceneName[] = ['texture', 'walkers', 'blobs', 'dark'];
const QUALITIES = Array.from({ length: 18 }, (_, i) => 10 + 5 * i);

/** ffmpeg's filter that makes YUV as JPEG has it of RGB. */
export const EXACT = 'scale=out_color_matrix=bt601:out_range=full:flags=bicubic+accurate_rnd+full_chroma_int';

interface Coded {
  readonly bytes: number;
  readonly squaredError: number;
}

/** 24 bits a point. */
export function rawPictures(seed: number): readonly Buffer[] {
  return PICTURES.map((scene) => {
    const [picture] = pictures(scene, seed, { ...SIZE, count: 1 });
    if (picture === undefined) throw new Error('no picture');
    return picture.rgb;
  });
}

/** One row for each quality: means over all pictures. */
export async function qualityTable(seed: number): Promise<string> {
  const raws = rawPictures(seed);
  const rows: string[][] = [];
  for (const quality of QUALITIES) {
    const [ours, libjpeg] = [
      await sum(raws, (raw) => byFfmpeg(raw, quality)),
      await sum(raws, (raw) => bySharp(raw, quality)),
    ];
    const percent = (100 * ours.bytes) / libjpeg.bytes - 100;
    rows.push([
      String(quality),
      String(Math.round(ours.bytes / raws.length / 1000)),
      String(Math.round(libjpeg.bytes / raws.length / 1000)),
      `${percent.toFixed(0)} %`,
      decibels(ours, raws.length).toFixed(1),
      decibels(libjpeg, raws.length).toFixed(1),
      (decibels(ours, raws.length) - decibels(libjpeg, raws.length)).toFixed(1),
    ]);
  }
  return markdownTable(['quality', 'kB', 'kB libjpeg', 'bytes', 'dB', 'dB libjpeg', 'dB difference'], rows);
}

async function sum(raws: readonly Buffer[], code: (raw: Buffer) => Promise<Buffer>): Promise<Coded> {
  const total = { bytes: 0, squaredError: 0 };
  for (const raw of raws) {
    const jpeg = await code(raw);
    total.bytes += jpeg.length;
    total.squaredError += squaredError(raw, await sharp(jpeg).removeAlpha().raw().toBuffer());
  }
  return total;
}

/** Peak signal-to-noise ratio of `count` pictures. */
export function decibels({ squaredError: error }: Pick<Coded, 'squaredError'>, count: number): number {
  return 10 * Math.log10((255 * 255 * count) / error);
}

/** As the camera's decoder has it encoded: of YUV in full range. */
async function byFfmpeg(raw: Buffer, quality: number): Promise<Buffer> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${SIZE.width}x${SIZE.height}`, '-i', 'pipe:0'];
  return filtered(
    [...input, '-vf', `${EXACT},format=yuvj420p`, ...jpegEncoder(quality), '-f', 'image2pipe', 'pipe:1'],
    [raw],
  );
}

export async function bySharp(raw: Buffer, quality: number): Promise<Buffer> {
  return sharp(raw, { raw: { ...SIZE, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false })
    .toBuffer();
}
