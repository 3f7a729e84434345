/** Runs a row: its server, and one camera of Vigil's in this process, as the supervisor would start it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import startCamera from '../../src/actors/camera/actor';
import { parseTopology } from '../../src/config/load';
import type { SupervisedCamera } from '../../src/config/topology';
import type { Frame } from '../../src/contract/frame';
import { Spool } from '../../src/spool/spool';
import { findFfmpeg } from '../../src/supervisor/ffmpeg-program';
import type { Clip } from './clip';
import { openFeed } from './open-feed';
import type { Delivered, Observation, Row } from './row';
import { isPacedFeed } from './row';
import { SentPictures } from './sent-pictures';

const POLL_MS = 20;
/** Beyond the camera's own `connectMs`. */
const SLACK_MS = 2000;

/**
 * Never rejects: what went wrong is part of what was seen.
 * @param ffmpeg the camera's; the one that Vigil would choose, by default
 */
export async function watchRow(row: Row, clip: Clip, ffmpeg?: string): Promise<Observation> {
  const sent = new SentPictures();
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-matrix-'));
  try {
    const feed = await openFeed(row, clip, sent);
    try {
      const camera = cameraOf({ ...feed.address, ...row.camera });
      return await watch(row, camera, { dir, sent, ffmpeg });
    } finally {
      await feed.stop();
    }
  } catch (error) {
    return { ...nothing(row), failure: (error as Error).message };
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function nothing(row: Row): Observation {
  return { row, endedAt: Date.now(), delivered: [], sent: undefined, messages: [], interruptions: [] };
}

/** As actors.json would give it, with all its defaults. @throws ConfigurationError */
function cameraOf(settings: Readonly<Record<string, unknown>>): SupervisedCamera {
  const text = JSON.stringify({ cameras: [{ id: 'camera', ...settings }] });
  const [camera] = parseTopology(text, 'actors.json', {}).cameras;
  if (camera === undefined) throw new Error('the configuration has no camera');
  return camera;
}

async function watch(
  row: Row,
  camera: SupervisedCamera,
  { dir, sent, ffmpeg }: { dir: string; sent: SentPictures; ffmpeg: string | undefined },
): Promise<Observation> {
  const announced: { frame: Frame; announcedAt: number }[] = [];
  const messages: string[] = [];
  const interruptions: string[] = [];
  const say = (message: string) => void messages.push(message);
  const spoolDir = path.join(dir, 'spool');
  const startedMs = performance.now();
  let firstPictureMs: number | undefined;
  const actor = startCamera({
    parameters: {
      camera,
      ffmpeg: findFfmpeg(ffmpeg, camera.source) ?? 'ffmpeg',
      spoolDir,
      minFreeBytes: 0,
    },
    log: { error: say, warn: say, info: () => undefined, debug: () => undefined },
    report: (report) => {
      if (report.kind === 'frame') {
        announced.push({ frame: report.frame, announcedAt: Date.now() });
        firstPictureMs ??= performance.now() - startedMs;
      } else if (report.kind === 'camera-state' && report.state.fault !== undefined && announced.length > 0)
        interruptions.push(report.state.fault.message);
    },
  });
  try {
    const connected = () => firstPictureMs !== undefined;
    for (const endMs = startedMs + camera.connectMs + SLACK_MS; !connected() && performance.now() < endMs;)
      await delay(POLL_MS);
    if (connected()) await delay(1000 * row.seconds);
    const endedAt = Date.now();
    // Before it stops: an end gives pictures that were still awaited.
    const seen = [...announced];
    const spool = new Spool(spoolDir);
    const delivered = await Promise.all(
      seen.map(async (each): Promise<Delivered> => {
        return { ...each, bytes: (await spool.read(each.frame)) ?? Buffer.alloc(0) };
      }),
    );
    return {
      ...{ row, endedAt, delivered, messages, interruptions: [...interruptions] },
      sent: isPacedFeed(row.feed) ? undefined : sent,
      ...(firstPictureMs === undefined ? {} : { firstPictureMs }),
    };
  } finally {
    await actor.stop();
  }
}
