/** What a real daemon announces of cameras behind a network that loses packets: each picture against the one with its number. */
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import type { FrameSampled } from '../../src/contract/message';
import { startDaemon } from '../daemon';
import { listen, newNamespace, remoteServers, withRedis, type Listener } from '../events';
import { startGstTracks } from '../feeds/gst-tracks';
import { startLossyNetwork, type LossyNetwork } from '../feeds/lossy-network';
import { numberIn } from '../picture-number';
import { waitUntil } from '../process';
import { randomOf } from '../random';
import { makeClip, FPS, type Clip } from './clips';
import type { Judged } from './confusion';
import { ENCODERS, GOP, type EncoderCase } from './damage-set';
import type { PlainScene } from './scenes';
import { shown, squaredError } from './shown';

/** Loss of the networks, in percent; there is one camera of each codec on each. */
const LOSSES = [0, 0.5, 3] as const;
const CASES: readonly (readonly [encoder: string, scene: PlainScene])[] = [
  ['x264 B-frames', 'walkers'],
  ['x265 rows', 'texture'],
];
/** Pictures a second: of all, so that each kind of picture is seen. */
const RATE = 5;
const QUALITY = 90;
/** Length of the clip, which is sent repeatedly. */
const SECONDS = 4;
const SIZE = { width: 640, height: 360 } as const;
/** Only every n-th level is examined to find the picture that is most alike. */
const SPARSE = 31;
/** Milliseconds by which the times of losses, and of pictures that are sent, may be off. */
const SLACK_MS = 80;

export interface Sending {
  readonly number: number;
  readonly atMs: number;
}

interface Camera {
  readonly id: string;
  readonly encoder: EncoderCase;
  readonly scene: PlainScene;
  readonly clip: Clip;
  readonly loss: number;
  readonly sent: Sending[];
  /** Errors of the pictures without damage, by number. */
  readonly errors: ReadonlyMap<number, number>;
}

/** Runs them all at once. @param seconds for which pictures are looked at */
export async function judgeNetwork(seed: number, seconds: number): Promise<Judged[]> {
  const cameras = await allCameras(seed);
  const server = await startGstTracks(
    Object.fromEntries(
      cameras.map(({ id, encoder, clip, sent }) => [
        `/${id}`,
        {
          codec: encoder.codec === 'hevc' ? ('h265' as const) : ('h264' as const),
          units: clip.units.map((unit, i) => ({ ...unit, sentAt: i, shownAt: unit.number })),
          fps: FPS,
          onSent: (number: number, atMs: number) => void sent.push({ number, atMs }),
        },
      ]),
    ),
  );
  const port = Number(new URL(server.url('/')).port);
  const networks = await Promise.all(
    cameras.map(({ loss }, i) => startLossyNetwork(port, loss / 100, randomOf(seed + i))),
  );
  const namespace = newNamespace();
  const events = await listen(namespace);
  const daemon = startDaemon({
    config: {
      ...{ namespace, ...remoteServers(), frames: { expireMs: 1000 * (seconds + 300) } },
      cameras: cameras.map(({ id }, i) => ({
        ...{ id, url: `rtsp://127.0.0.1:${networks[i]?.port ?? 0}/${id}`, transport: 'udp' },
        ...{ rate: RATE, quality: QUALITY, sampling: 'all' },
      })),
    },
  });
  try {
    await waitUntil(
      'all cameras deliver',
      () => cameras.every(({ id }) => events.frames(id).length > 0),
      60_000,
    );
    await wait(1000 * seconds);
    return await judgedPictures(cameras, networks, events);
  } finally {
    await daemon.stop();
    await events.close();
    for (const network of networks) await network.stop();
    await server.stop();
  }
}

async function allCameras(seed: number): Promise<Camera[]> {
  const cameras: Camera[] = [];
  for (const [name, scene] of CASES) {
    const encoder = ENCODERS.find((each) => each.name === name);
    if (encoder === undefined) throw new Error(`there is no encoder "${name}"`);
    const clip = await makeClip({ ...encoder, scene, seed, ...SIZE, count: SECONDS * FPS });
    const { pictures } = await shown(clip, clip.units, { quality: QUALITY });
    const errors = new Map(pictures.map(({ number, error }) => [number, error]));
    for (const loss of LOSSES) {
      const id = `${encoder.codec}-${String(loss).replace('.', '_')}`;
      cameras.push({ id, encoder, scene, clip, loss, sent: [], errors });
    }
  }
  return cameras;
}

async function judgedPictures(
  cameras: readonly Camera[],
  networks: readonly LossyNetwork[],
  events: Listener,
): Promise<Judged[]> {
  const frames = events.received.flatMap(({ event, receivedAt }) =>
    event.type === 'vigil.frame.sampled.v1' ? [{ data: event.data, receivedAt }] : [],
  );
  // All of them at once, before they expire.
  const stored = await withRedis((redis) => Promise.all(frames.map(({ data }) => redis.getBuffer(data.key))));
  const judged: Judged[] = [];
  for (const [f, { data, receivedAt }] of frames.entries()) {
    const i = cameras.findIndex(({ id }) => id === data.camera);
    const [camera, bytes] = [cameras[i], stored[f]];
    if (camera === undefined || bytes === null || bytes === undefined)
      throw new Error(`${data.key} is not in Redis`);
    judged.push(await judge(camera, networks[i]?.lost ?? [], data, bytes, receivedAt));
  }
  return judged;
}

async function judge(
  { encoder, scene, loss, clip, sent, errors }: Camera,
  lost: readonly number[],
  { verdict }: FrameSampled['data'],
  bytes: Buffer,
  receivedAt: number,
): Promise<Judged> {
  if (verdict === undefined) throw new Error('a picture without a verdict');
  const rgb = await sharp(bytes).removeAlpha().raw().toBuffer();
  const read = numberIn({ ...SIZE, rgb });
  const number = read !== undefined && read < clip.truth.length ? read : nearest(clip, rgb);
  const error = squaredError(clip.truth[number] ?? Buffer.alloc(0), rgb);
  const at = sent.findLastIndex((each) => each.number === number && each.atMs <= receivedAt);
  return {
    ...{ codec: encoder.codec, encoder: encoder.name, scene, damage: `${loss} % of packets`, number },
    ...{ kind: verdict.kind, confidence: verdict.confidence, reason: verdict.reason, error },
    soundError: errors.get(number) ?? 0,
    isTouched: isTouched(sent, at, lost),
  };
}

/** Whether a packet was lost since the keyframe before. */
function isTouched(sent: readonly Sending[], at: number, lost: readonly number[]): boolean {
  const key = sent.findLastIndex(({ number }, i) => i <= at && number % GOP === 0);
  const from = (sent[key - 1]?.atMs ?? -Infinity) - SLACK_MS;
  const to = (sent[at]?.atMs ?? Infinity) + SLACK_MS;
  return lost.some((ms) => ms >= from && ms <= to);
}

/** The number of the most similar picture, for one whose own number cannot be read. */
function nearest({ truth }: Clip, rgb: Buffer): number {
  const errors = truth.map((each) => squaredError(each, rgb, SPARSE));
  return errors.indexOf(Math.min(...errors));
}
