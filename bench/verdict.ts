/**
 * What the verdict costs per picture: the decoder's own command line with and without the thumbnail,
 * alternately on the same keyframes, and the judging of thumbnails in this process. README.md.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pictureLook } from '../src/actors/camera/pictures/look';
import { decoderInvocation } from '../src/actors/camera/pictures/decoder-arguments';
import { endProcess } from '../src/os/output';
import { ivfHeader, ivfPacketHeader } from '../src/actors/camera/ffmpeg/ivf';
import { PacketSplitter } from '../src/actors/camera/ffmpeg/packet-splitter';
import { PictureJudge } from '../src/actors/camera/pictures/judge';
import { POINTS } from '../src/actors/camera/pictures/thumbnail';
import { run } from '../lab/process';
import { benchClip, CASES } from './clips';
import { cameraSpec } from '../lab/camera-spec';

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: 'k1' },
    pictures: { type: 'string', default: '200' },
    pairs: { type: 'string', default: '7' },
  },
});
const [PICTURES, PAIRS] = [Number(values.pictures), Number(values.pairs)];
/** Number of thumbnails per picture: a single one costs less than two runs of the same command differ. */
const COPIES = 20;
const THUMBNAILS = 10_000;
/** USER_HZ of every Linux. */
const TICK_MS = 10;
const CAMERA = cameraSpec();

/** Writes the clip's keyframes repeatedly, all to be decoded. */
async function writeKeyframes(file: string, clip: string): Promise<void> {
  const { stdout, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-i', clip, '-map', '0:v:0', '-c', 'copy'],
    ...['-f', 'tee', '[f=framecrc]pipe\\:1|[f=data]pipe\\:1'],
  ]);
  const keyframes = new PacketSplitter().push(stdout).filter(({ key }) => key);
  if (keyframes.length === 0) throw new Error(`no keyframes in ${clip}: ${stderr}`);
  const parts = Array.from({ length: PICTURES }, (_, i) => {
    const bytes = keyframes[i % keyframes.length]?.bytes ?? Buffer.alloc(0);
    return Buffer.concat([ivfPacketHeader(bytes.length, 2 * i + 1), bytes]);
  });
  await writeFile(file, Buffer.concat([ivfHeader(), ...parts]));
}

/** The command line with its first output, the thumbnail, repeated `count` times. */
function withThumbnails(args: readonly string[], count: number): string[] {
  const first = args.indexOf('-map');
  const second = args.indexOf('-map', first + 1);
  const outputs = Array.from({ length: count }, () => args.slice(first, second));
  return [...args.slice(0, first), ...outputs.flat(), ...args.slice(second)];
}

/** Processor milliseconds of all children that have ended: proc(5), cutime and cstime. */
function endedChildrenMs(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

/** Processor milliseconds a picture. */
async function decode(file: string, args: readonly string[]): Promise<number> {
  const before = endedChildrenMs();
  const [input, nowhere] = [openSync(file, 'r'), openSync('/dev/null', 'w')];
  const child = spawn('ffmpeg', args, { stdio: [input, nowhere, 'ignore', nowhere] });
  for (const fd of [input, nowhere]) closeSync(fd);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${String(code)}`);
  return (endedChildrenMs() - before) / PICTURES;
}

/** Processor milliseconds a thumbnail; each differs from the previous one so little that all points are compared. */
function judge(): number {
  const judging = new PictureJudge(CAMERA.frozenMs);
  const points = 3 * POINTS;
  const thumbnails = [Buffer.alloc(points, 30), Buffer.alloc(points, 31)];
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < THUMBNAILS; i++)
    judging.judge({ thumbnail: thumbnails[i % 2], fingerprint: String(i) }, i);
  const used = process.cpuUsage();
  return (used.user + used.system - user - system) / 1000 / THUMBNAILS;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

async function main(): Promise<void> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-verdict-'));
  try {
    const file = path.join(dir, 'keyframes.ivf');
    await writeKeyframes(file, await benchClip(values.case));
    const codec = { h264: 'h264', h265: 'hevc', mjpeg: 'mjpeg' }[CASES[values.case]?.codec ?? 'h264'];
    const { args } = decoderInvocation(
      CAMERA,
      codec,
      pictureLook(CAMERA, { codec, height: 0 }, undefined, false),
    );
    const each: number[] = [];
    console.log(`processor ms a picture: ${COPIES} thumbnails, none; of each thumbnail`);
    for (let pair = 0; pair < PAIRS; pair++) {
      const many = await decode(file, withThumbnails(args, COPIES));
      const none = await decode(file, withThumbnails(args, 0));
      each.push((many - none) / COPIES);
      console.log(
        `${many.toFixed(1).padStart(6)}${none.toFixed(1).padStart(7)}${(each.at(-1) ?? NaN).toFixed(2).padStart(7)}`,
      );
    }
    console.log(`median ${median(each).toFixed(2)} ms a thumbnail; judging it ${judge().toFixed(3)} ms`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

void main().then(
  () => endProcess(0, Infinity),
  (error: unknown) => {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    void endProcess(1, Infinity);
  },
);
