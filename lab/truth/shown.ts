/** What the camera shows of a clip that was damaged on its way: its own receiver's arguments, its decoder, its verdict. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import sharp from 'sharp';
import { receiverInvocation } from '../../src/actors/camera/ffmpeg/receiver-arguments';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { PictureJudge } from '../../src/actors/camera/pictures/judge';
import { PictureMaker } from '../../src/actors/camera/pictures/maker';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import type { CameraSpec } from '../../src/config/topology';
import type { Verdict } from '../../src/contract/verdict';
import { cameraSpec } from '../camera-spec';
import { run } from '../process';
import { until } from '../until';
import { toIvf, type Clip, type Unit } from './clips';

export interface Shown {
  readonly number: number;
  /** Mean squared error against the same picture without damage, all colours. */
  readonly error: number;
  readonly verdict: Verdict;
  readonly evidence: Picture['evidence'];
  /** A JPEG. */
  readonly bytes: Buffer;
}

/** Pictures that wait in the decoder at most: behind a gap it gives none until all blocks have been renewed. */
const MAX_AWAITED = 60;
/** Milliseconds without a picture after which those that are missing are not waited for: they need what does not come any more. */
const QUIET_MS = 3000;
/** A file is read as fast as it can be. */
const PACED: ReadonlySet<string> = new Set(['-re', '-stream_loop', '-1']);

/** @param units what is left of the clip's, in their order */
export async function shown(
  clip: Clip,
  units: readonly Pick<Unit, 'number' | 'bytes'>[],
  changes: Partial<CameraSpec> = {},
): Promise<{ readonly pictures: readonly Shown[]; readonly lost: number }> {
  const packets = await received(clip.codec, units);
  const camera = cameraSpec({ quality: 90, ...changes, source: { kind: 'file', path: '/clip' } });
  const judge = new PictureJudge(camera.frozenMs);
  const made: { readonly picture: Picture; readonly verdict: Verdict }[] = [];
  let [asked, lost] = [0, 0];
  let newestMs = performance.now();
  const faults: Error[] = [];
  const maker = new PictureMaker(
    {
      ...{ camera, ffmpeg: 'ffmpeg' },
      onPicture: (picture) => {
        made.push({ picture, verdict: judge.judge(picture.evidence, picture.sample.capturedAt) });
        newestMs = performance.now();
      },
      onLost: () => lost++,
      onFault: (fault) => faults.push(fault),
      onStderr: () => undefined,
    },
    packets.header,
  );
  for (const packet of packets.all)
    for (const coded of maker.pictures.push(packet)) {
      const { facts } = coded;
      if (facts.state === 'undecodable') continue;
      const number = Math.round((coded.packet.pts ?? 0) / 40);
      const isWanted = facts.state === 'whole' && facts.inOrder;
      if (isWanted) asked++;
      maker.take(
        coded,
        isWanted ? { kind: 'take', sample: { capturedAt: 40 * number, sequence: number } } : { kind: 'feed' },
      );
      await until('its picture', () => asked - made.length - lost <= MAX_AWAITED || faults.length > 0);
    }
  // The maker gives the decoder two seconds for them, which is not enough on a busy machine.
  const isQuiet = () => performance.now() - newestMs > QUIET_MS;
  await until('the last pictures', () => asked <= made.length + lost || isQuiet() || faults.length > 0);
  await maker.end();
  if (faults[0] !== undefined) throw faults[0];
  const pictures: Shown[] = [];
  for (const { picture, verdict } of made) {
    const number = picture.sample.sequence;
    const truth = clip.truth[number];
    if (truth === undefined) continue;
    const rgb = await sharp(picture.bytes).removeAlpha().raw().toBuffer();
    pictures.push({
      number,
      error: squaredError(truth, rgb),
      verdict,
      evidence: picture.evidence,
      bytes: picture.bytes,
    });
  }
  return { pictures, lost };
}

async function received(codec: Clip['codec'], units: readonly Pick<Unit, 'number' | 'bytes'>[]) {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-truth-'));
  try {
    const file = path.join(dir, 'clip.ivf');
    await writeFile(file, toIvf(codec, units));
    const { args } = receiverInvocation(cameraSpec({ source: { kind: 'file', path: file } }));
    const splitter = new PacketSplitter();
    // IVF has no name for H.265.
    const named = args.flatMap((arg) => (arg === '-i' ? ['-c:v', codec, '-i'] : PACED.has(arg) ? [] : [arg]));
    const { stdout } = await run('ffmpeg', named);
    return { all: splitter.push(stdout), header: splitter.header };
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** @param step every `step`-th level is examined */
export function squaredError(one: Buffer, other: Buffer, step = 1): number {
  if (one.length !== other.length) return Infinity;
  let sum = 0;
  for (let i = 0; i < one.length; i += step) sum += ((one[i] ?? 0) - (other[i] ?? 0)) ** 2;
  return (sum * step) / one.length;
}
