/**
 * Processor time of JPEG encoders on the same pictures, alternating in one run: ffmpeg's with the camera's
 * settings and with its defaults, and sharp's libjpeg-turbo.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { jpegEncoder } from '../../src/actors/camera/ffmpeg/encoder-arguments';
import { markdownTable } from '../markdown-table';
import { run } from '../process';
import { filtered } from './clips';
import { bySharp, decibels, EXACT, rawPictures, SIZE } from './quality';
import { squaredError } from './shown';

const QUALITY = 80;
/** Each picture is encoded so often in a turn. */
const REPEATS = 25;
const TURNS = 5;
const SIZED = ['-s', `${SIZE.width}x${SIZE.height}`];
const NOTHING = ['-c:v', 'wrapped_avframe'];

interface Subject {
  readonly name: string;
  /** Processor time of one round, seconds. */
  readonly cost: () => Promise<number>;
  /** The JPEG of each picture. */
  readonly jpegs: () => Promise<readonly Buffer[]>;
}

/** Medians of all turns, a picture. */
export async function encoderCostTable(seed: number): Promise<string> {
  const raws = rawPictures(seed);
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-encoders-'));
  try {
    const file = path.join(dir, 'pictures.yuv');
    const yuvs = await Promise.all(raws.map(toYuv));
    await writeFile(file, Buffer.concat(yuvs));
    const subjects: Subject[] = [
      byFfmpeg('ffmpeg, as the camera sets it', file, yuvs, jpegEncoder(QUALITY)),
      byFfmpeg('ffmpeg, `-q:v 3`', file, yuvs, ['-c:v', 'mjpeg', '-q:v', '3']),
      byFfmpeg('ffmpeg, `-q:v 3 -huffman default`', file, yuvs, [
        ...['-c:v', 'mjpeg', '-q:v', '3', '-huffman', 'default'],
      ]),
      bySharpOfYuv(file, raws),
    ];
    const costs = subjects.map((): number[] => []);
    for (let turn = 0; turn < TURNS; turn++)
      for (const [i, { cost }] of subjects.entries()) costs[i]?.push(await cost());
    const rows = await Promise.all(
      subjects.map(async ({ name, jpegs }, i) => {
        const made = await jpegs();
        const bytes = made.reduce((sum, { length }) => sum + length, 0);
        const errors = await Promise.all(
          made.map(async (jpeg, n) =>
            squaredError(raws[n] ?? jpeg, await sharp(jpeg).removeAlpha().raw().toBuffer()),
          ),
        );
        const error = errors.reduce((sum, each) => sum + each, 0);
        return [
          name,
          ((1000 * median(costs[i] ?? [])) / (REPEATS * raws.length)).toFixed(1),
          String(Math.round(bytes / raws.length / 1000)),
          decibels({ squaredError: error }, raws.length).toFixed(1),
        ];
      }),
    );
    return markdownTable(['encoder', 'ms of processor', 'kB', 'dB'], rows);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function byFfmpeg(name: string, file: string, yuvs: readonly Buffer[], encoder: readonly string[]): Subject {
  return {
    name,
    cost: async () => (await ofFfmpeg(file, encoder)) - (await ofFfmpeg(file, NOTHING)),
    jpegs: () =>
      Promise.all(
        yuvs.map((yuv) =>
          filtered(
            ['-f', 'rawvideo', '-pix_fmt', 'yuvj420p', ...SIZED, '-i', 'pipe:0', ...encoder].concat(
              '-f',
              'image2pipe',
              'pipe:1',
            ),
            [yuv],
          ),
        ),
      ),
  };
}

/** It takes RGB alone: ffmpeg's conversion is a part of its cost. */
function bySharpOfYuv(file: string, raws: readonly Buffer[]): Subject {
  return {
    name: 'sharp (libjpeg-turbo), of RGB that ffmpeg makes',
    cost: async () => {
      const before = process.cpuUsage();
      for (let i = 0; i < REPEATS; i++) for (const raw of raws) await bySharp(raw, QUALITY);
      const { user, system } = process.cpuUsage(before);
      const toRgb = [...NOTHING, '-vf', 'format=rgb24'];
      return (user + system) / 1e6 + (await ofFfmpeg(file, toRgb)) - (await ofFfmpeg(file, NOTHING));
    },
    jpegs: () => Promise.all(raws.map((raw) => bySharp(raw, QUALITY))),
  };
}

/** Seconds of processor time, as it reports them. */
async function ofFfmpeg(file: string, encoder: readonly string[]): Promise<number> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuvj420p', ...SIZED, '-stream_loop', String(REPEATS - 1)];
  const { code, stderr } = await run('ffmpeg', [
    ...['-hide_banner', '-nostats', '-nostdin', '-benchmark', '-threads', '1', ...input, '-i', file],
    ...['-threads', '1', ...encoder, '-f', 'null', '-'],
  ]);
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  if (code !== 0 || user === undefined || system === undefined) throw new Error(stderr);
  return Number(user) + Number(system);
}

function toYuv(rgb: Buffer): Promise<Buffer> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', ...SIZED, '-i', 'pipe:0'];
  const output = ['-vf', `${EXACT},format=yuvj420p`, '-f', 'rawvideo', 'pipe:1'];
  return filtered([...input, ...output], [rgb]);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
