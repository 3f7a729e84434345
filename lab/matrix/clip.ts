/** Clips of the matrix: encoded once from drawn pictures, cut into access units, and compared with what was drawn. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { RawPicture } from '../picture-number';
import { run, spawnOwned } from '../process';
import { squaredError, type SquaredError } from './colours';
import { paffUnits } from './paff';
import { colourFilter, encoderArguments, rangeOf, recipeName, type ClipCodec, type Recipe } from './recipe';
import { sceneAt, wovenAt } from './scene';
import { cutUnits, type Unit } from './units';

export interface Clip {
  readonly recipe: Recipe;
  /** A file with the clip in a container that keeps the order of its pictures. */
  readonly file: string;
  /** In the order they are sent. */
  readonly units: readonly Unit[];
  /** What the encoder cost these pictures, by number: the error of ffmpeg's own decoding against what was drawn. */
  readonly reference: (numbers: readonly number[]) => Promise<ReadonlyMap<number, SquaredError>>;
}

/** Part of the folder's name: raise it when scenes or encoder arguments change. */
const VERSION = 3;
const DEADLINE_MS = 120_000;
const CONTAINERS: Readonly<Record<ClipCodec, string>> = {
  h264: 'mp4',
  h265: 'mp4',
  mjpeg: 'avi',
  mpeg4: 'mp4',
  vp8: 'webm',
  vp9: 'webm',
};
const inProgress = new Map<string, Promise<Clip>>();

/** @throws with ffmpeg's output when it cannot be made */
export function matrixClip(recipe: Recipe): Promise<Clip> {
  const name = recipeName(recipe);
  let clip = inProgress.get(name);
  if (clip === undefined) inProgress.set(name, (clip = open(recipe, name)));
  return clip;
}

/** What was drawn for a number, interlaced where the clip is. */
export function drawn(recipe: Recipe, number: number): RawPicture {
  const { scene, interlace } = recipe;
  if (interlace === 'none') return sceneAt(scene, recipe, number);
  return wovenAt(scene, recipe, number, interlace === 'mbaff-bff' ? 'bottom' : 'top');
}

async function open(recipe: Recipe, name: string): Promise<Clip> {
  const folder = path.join(tmpdir(), `vigil-matrix-clips-${userInfo().uid}`, `v${VERSION}`);
  await mkdir(folder, { recursive: true });
  const file = path.join(
    folder,
    `${name}.${recipe.interlace === 'paff' ? 'h264' : CONTAINERS[recipe.codec]}`,
  );
  if (!(await exists(file))) await make(recipe, file);
  const units = await cutUnits(recipe, file);
  return { recipe, file, units, reference: (numbers) => reference(recipe, file, numbers) };
}

/** To a name of its own first: of several processes the last one wins, with an equal clip. */
async function make(recipe: Recipe, file: string): Promise<void> {
  const unfinished = file.replace(/(\.\w+)$/, `.${randomUUID()}$1`);
  try {
    if (recipe.interlace === 'paff') await writeFile(unfinished, await paffClip(recipe));
    else
      await encode(recipe, [
        ...['-vf', colourFilter(recipe), ...encoderArguments(recipe)],
        ...['-movflags', '+faststart', unfinished].slice(unfinished.endsWith('.mp4') ? 0 : 2),
      ]);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function paffClip(recipe: Recipe): Promise<Buffer> {
  const { width, height, fps, gopS } = recipe;
  const yuv = await encode(recipe, ['-vf', colourFilter(recipe), '-f', 'rawvideo', 'pipe:1']);
  const bytes = (3 * width * height) / 2;
  const frames = Array.from({ length: yuv.length / bytes }, (_, i) => ({
    ...{ width, height },
    planes: yuv.subarray(i * bytes, (i + 1) * bytes),
  }));
  return Buffer.concat([...paffUnits(frames, Math.round(fps * gopS))].map((unit) => unit.bytes));
}

/** Draws all pictures into an ffmpeg. Returns what it wrote on standard output. */
async function encode(recipe: Recipe, output: readonly string[]): Promise<Buffer> {
  const { width, height, fps, seconds } = recipe;
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`];
  const ffmpeg = await spawnOwned('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...raw,
    '-r',
    String(fps),
    '-i',
    'pipe:0',
    ...output,
  ]);
  const chunks: Buffer[] = [];
  ffmpeg.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let number = 0; number < fps * seconds && ffmpeg.exit() === undefined; number++)
    await new Promise<void>((resolve) => {
      ffmpeg.stdin.write(drawn(recipe, number).rgb, () => resolve());
    });
  ffmpeg.stdin.end();
  const { code } = await ffmpeg.exited;
  if (code !== 0) throw new Error(`no clip ${recipeName(recipe)}: ${ffmpeg.stderr()}`);
  return Buffer.concat(chunks);
}

async function reference(
  recipe: Recipe,
  file: string,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, SquaredError>> {
  const wanted = [...new Set(numbers)].sort((a, b) => a - b);
  if (wanted.length === 0) return new Map();
  const { matrix, width, height } = recipe;
  const select = `select='${wanted.map((number) => `eq(n,${number})`).join('+')}'`;
  // Colours of two fields are mixed, as whoever decodes a frame without a thought of fields mixes them.
  const from = `in_color_matrix=${matrix}:in_range=${rangeOf(recipe)}`;
  const toRgb = `scale=${from}:flags=accurate_rnd+full_chroma_int+bicubic,format=rgb24`;
  const output = ['-vf', `${select},${toRgb}`, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'];
  const { code, stdout, stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, ...output], DEADLINE_MS);
  const bytes = 3 * width * height;
  if (code !== 0 || stdout.length !== wanted.length * bytes)
    throw new Error(`clip ${file}: not all of ${wanted.join(', ')} can be decoded: ${stderr}`);
  return new Map(
    wanted.map((number, i) => {
      const rgb = stdout.subarray(i * bytes, (i + 1) * bytes);
      return [number, squaredError({ width, height, rgb }, drawn(recipe, number))];
    }),
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
