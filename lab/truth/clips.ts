/** Numbered scenes as an encoder codes them: their access units, and what a decoder shows of each without damage. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { ivfHeader, ivfPacketHeader } from '../../src/actors/camera/ffmpeg/ivf';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { pictures, type SceneName } from './scenes';

export interface ClipOptions {
  readonly codec: 'h264' | 'hevc';
  readonly scene: SceneName;
  readonly seed: number;
  /** ffmpeg's arguments that choose and set the encoder. */
  readonly encoder: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly count: number;
  /** Whether each picture has its number drawn on it. */
  readonly numbered?: boolean;
}

export interface Unit {
  /** Number of its picture in display order. */
  readonly number: number;
  readonly key: boolean;
  readonly bytes: Buffer;
}

export interface Clip {
  readonly codec: 'h264' | 'hevc';
  /** In the order in which they are decoded. */
  readonly units: readonly Unit[];
  /** By number: 24 bits a point, without padding. */
  readonly truth: readonly Buffer[];
}

export const FPS = 25;

export async function makeClip(options: ClipOptions): Promise<Clip> {
  const { codec, scene, seed, encoder, width, height, count, numbered = true } = options;
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(FPS)];
  const coded = await filtered(
    [...raw, '-i', 'pipe:0', ...encoder, '-map', '0:v', ...toSplitter()],
    (function* () {
      for (const { rgb } of pictures(scene, seed, { width, height, count, numbered })) yield rgb;
    })(),
  );
  const units = new PacketSplitter().push(coded).map(({ pts = 0, key, bytes }) => ({
    ...{ number: Math.round((pts * FPS) / 1000), key, bytes },
  }));
  return { codec, units, truth: await decoded(codec, units, { width, height }) };
}

/** What another encoder has made: the first pictures of a file of H.264 or H.265. */
export async function clipOfFile(file: string, count: number): Promise<Clip> {
  const start = ['-frames:v', String(count), '-map', '0:v:0', '-c', 'copy'];
  const splitter = new PacketSplitter();
  const packets = splitter.push(await filtered(['-i', file, ...start, ...toSplitter()], []));
  const { codec, width, height } = splitter.header;
  if (codec !== 'h264' && codec !== 'hevc') throw new Error(`${file}: ${codec}, not H.264 or H.265`);
  const times = packets.map(({ pts = 0 }) => pts).toSorted((one, other) => one - other);
  const units = packets.map(({ pts = 0, key, bytes }) => ({ number: times.indexOf(pts), key, bytes }));
  return { codec, units, truth: await decoded(codec, units, { width, height }) };
}

/** By number: what a decoder shows of each. */
async function decoded(
  codec: Clip['codec'],
  units: readonly Unit[],
  { width, height }: { readonly width: number; readonly height: number },
): Promise<readonly Buffer[]> {
  const asIs = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const plain = await filtered(['-c:v', codec, '-f', 'ivf', '-i', 'pipe:0', ...asIs], [toIvf(codec, units)]);
  const size = 3 * width * height;
  const truth = Array.from({ length: plain.length / size }, (_, i) =>
    plain.subarray(i * size, (i + 1) * size),
  );
  if (truth.length !== units.length) throw new Error(`${truth.length} pictures instead of ${units.length}`);
  return truth;
}

/** A file whose packets are cut as they were put in, whatever they hold. */
export function toIvf(codec: 'h264' | 'hevc', units: readonly Pick<Unit, 'number' | 'bytes'>[]): Buffer {
  const header = ivfHeader();
  header.write(codec === 'h264' ? 'H264' : 'HEVC', 8, 'latin1');
  header.writeUInt32LE(FPS, 16);
  return Buffer.concat([
    header,
    ...units.flatMap(({ number, bytes }) => [ivfPacketHeader(bytes.length, number), bytes]),
  ]);
}

/** What ffmpeg writes of what it reads. */
export async function filtered(args: readonly string[], input: Iterable<Buffer>): Promise<Buffer> {
  const child = spawn('ffmpeg', ['-nostats', '-hide_banner', '-v', 'error', '-threads', '1', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [chunks, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const closed = once(child, 'close');
  // Why it reads no more is known from how it ends.
  await pipeline(Readable.from(input), child.stdin).catch(() => undefined);
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${String(code)}: ${Buffer.concat(stderr).toString()}`);
  return Buffer.concat(chunks);
}
