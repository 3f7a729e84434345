/**
 * The age of a picture when it is safe, and the time from the start of a camera's process to its first
 * picture. Every picture contains its number, and the server reports when it sent the last packet of that
 * number: no clock of Vigil is trusted. README.md.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../lab/events';
import { keepFeeds } from '../lab/feeds/keep-feeds';
import { startRtspServer, type RtspMount } from '../lab/feeds/rtsp';
import { percentile } from '../lab/percentile';
import { isAlive, waitUntil } from '../lab/process';
import { processTable, startedAt } from '../lab/process-table';
import { benchClip, CASES } from './clips';
import { PictureWays, type Way } from './picture-ways';
import { measureReordered, REORDERED_STREAMS, reorderedCameras } from './reordered';
import { ffmpegVersion, runBench } from './run';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    starts: { type: 'string', default: '60' },
    parts: { type: 'string', default: 'plain,reordered' },
    streams: { type: 'string', default: REORDERED_STREAMS.join(',') },
    ffmpeg: { type: 'string' },
  },
});
const PARTS: Readonly<Record<string, () => Promise<boolean>>> = { plain, reordered };
/** p95, milliseconds. */
const GOALS = { spooled: 150, started: 1500 };
const NUMBERED = {
  ...CASES['k1'],
  codec: 'h264',
  size: '1920x1080',
  fps: 25,
  kilobits: 3900,
  numbered: true,
} as const;
const FEEDS = {
  'numbered-1s': { ...NUMBERED, keyframeIntervalS: 1 },
  'numbered-10s': { ...NUMBERED, keyframeIntervalS: 10 },
} as const;
type Feed = keyof typeof FEEDS;
const CAMERAS: Readonly<Record<string, Feed>> = {
  cam0: 'numbered-1s',
  cam1: 'numbered-1s',
  cam2: 'numbered-1s',
  far: 'numbered-10s',
};
const IDS = Object.keys(CAMERAS);
const RESTARTED = IDS.filter((id) => CAMERAS[id] === 'numbered-1s');
/** The pictures are examined after all measurements. */
const EXPIRE_MS = 600_000 + 1000 * (Number(values.seconds) + 5 * Number(values.starts));

interface Start {
  readonly camera: string;
  readonly startedAt: number;
}

interface Bench {
  readonly daemon: Daemon;
  readonly events: Listener;
  readonly pictures: PictureWays;
  /** @param disabled id of a camera that does not run */
  readonly config: (disabled?: string) => unknown;
}

/** Restarts one camera after the other by edits of actors.json, at random moments; all feeds have other clients too. */
async function restarts({ daemon, pictures, config }: Bench): Promise<Start[]> {
  const starts: Start[] = [];
  for (let i = 0; i < Number(values.starts); i++) {
    const camera = RESTARTED[i % RESTARTED.length] ?? '';
    const newest = () => daemon.log.findLast(({ message }) => message === `camera:${camera} runs`)?.child;
    await wait(Math.random() * 1000);
    const before = newest();
    daemon.edit(config(camera));
    await waitUntil(`${camera} has ended`, () => before === undefined || !isAlive(before));
    daemon.edit(config());
    await waitUntil(`${camera} runs again`, () => newest() !== before);
    const actor = processTable().find(({ pid }) => pid === newest());
    if (actor === undefined) throw new Error(`camera ${camera} ended`);
    const began = startedAt(actor);
    await waitUntil(
      `${camera} keeps a picture`,
      () => pictures.firstSpooledAfter(camera, began) !== undefined,
    );
    starts.push({ camera, startedAt: began });
  }
  return starts;
}

function row(what: string, milliseconds: readonly number[], goal?: number): { text: string; met: boolean } {
  const shares = [0, 0.5, 0.95, 1].map((share) => percentile(milliseconds, share));
  const p95 = shares[2] ?? NaN;
  const met = goal === undefined || p95 < goal;
  const cells = [milliseconds.length, ...shares.map(Math.round)].map((cell) => String(cell).padStart(7));
  const verdict = goal === undefined ? '' : `${String(goal).padStart(7)}  ${met ? 'met' : 'MISSED'}`;
  return { text: `${what.padEnd(46)}${cells.join('')}${verdict}`, met };
}

function print(rows: readonly { readonly text: string }[]): void {
  const head = `${'milliseconds'.padEnd(46)}${['number', 'min', 'p50', 'p95', 'max', 'goal'].map((cell) => cell.padStart(7)).join('')}`;
  const ffmpeg = `ffmpeg ${ffmpegVersion(values.ffmpeg)}`;
  process.stdout.write(`${[ffmpeg, head, ...rows.map(({ text }) => text)].join('\n')}\n`);
}

function report(steady: readonly Way[], begun: readonly Way[], starts: readonly Start[]): boolean {
  const byFeed = (Object.keys(FEEDS) as Feed[]).flatMap((feed) => {
    const ways = steady.filter(({ camera }) => CAMERAS[camera] === feed);
    return [
      row(
        `${feed}: last packet to spool`,
        ways.map((way) => way.spooledAt - way.sentAt),
        GOALS.spooled,
      ),
      row(
        '  to the message at a consumer',
        ways.map((way) => way.receivedAt - way.sentAt),
      ),
      row(
        '  to the capture time in it',
        ways.map((way) => way.capturedAt - way.sentAt),
      ),
    ];
  });
  const firsts = starts.flatMap(({ camera, startedAt }) => {
    const later = begun.filter((way) => way.camera === camera && way.spooledAt > startedAt);
    const first = later.sort((a, b) => a.spooledAt - b.spooledAt)[0];
    return first === undefined ? [] : [{ ...first, startedAt }];
  });
  const rows = [
    ...byFeed,
    row(
      'process start to first picture in the spool',
      firsts.map((each) => each.spooledAt - each.startedAt),
      GOALS.started,
    ),
    row(
      '  of it, until its keyframe was sent',
      firsts.map((each) => each.sentAt - each.startedAt),
    ),
    row(
      '  from there to the spool',
      firsts.map((each) => each.spooledAt - each.sentAt),
    ),
  ];
  print(rows);
  return firsts.length === starts.length && rows.every(({ met }) => met);
}

async function observe(bench: Bench): Promise<boolean> {
  const { daemon, events, pictures } = bench;
  const deliver = () => IDS.every((id) => events.frames(id).length > 3);
  await waitUntil('all cameras deliver', deliver, 120_000);
  pictures.watchSpool(daemon.dataDir, IDS);
  const from = Date.now();
  await wait(Number(values.seconds) * 1000);
  const to = Date.now();
  const starts = await restarts(bench);
  await wait(2000);
  const ways = await pictures.of(events, from);
  return report(
    ways.filter(({ spooledAt }) => spooledAt < to),
    ways,
    starts,
  );
}

/** Cameras without B-frames, and their restarts: whether all goals are met. */
async function plain(): Promise<boolean> {
  const pictures = new PictureWays();
  const mounts: Record<string, RtspMount> = {};
  for (const [id, feed] of Object.entries(CAMERAS))
    mounts[`/${id}`] = { clip: await benchClip(feed, FEEDS[feed]), codec: NUMBERED.codec, fps: NUMBERED.fps };
  const server = await startRtspServer({
    mounts,
    onSent: (picture) => pictures.sent(picture),
  });
  const keepers = await keepFeeds(IDS.map((id) => server.url(`/${id}`)));
  const namespace = newNamespace();
  const config: Bench['config'] = (disabled) => ({
    ...{ namespace, ...remoteServers(), frames: { expireMs: EXPIRE_MS } },
    ...(values.ffmpeg === undefined ? {} : { ffmpeg: values.ffmpeg }),
    cameras: IDS.map((id) => ({ id, url: server.url(`/${id}`), enabled: id !== disabled })),
  });
  const events = await listen(namespace);
  const daemon = startDaemon({ config: config() });
  try {
    return await observe({ daemon, events, pictures, config });
  } finally {
    await daemon.stop();
    await events.close();
    for (const keeper of keepers) await keeper.end();
    await server.stop();
  }
}

/** Cameras with B-frames: whether all goals are met. */
async function reordered(): Promise<boolean> {
  const streams = values.streams.split(',');
  const cameras = await reorderedCameras(streams);
  const namespace = newNamespace();
  const config = (entries: readonly object[]) => ({
    ...{ namespace, ...remoteServers(), frames: { expireMs: EXPIRE_MS }, cameras: entries },
    ...(values.ffmpeg === undefined ? {} : { ffmpeg: values.ffmpeg }),
  });
  const events = await listen(namespace);
  const daemon = startDaemon({ config: config([]) });
  try {
    const seconds = Number(values.seconds);
    const measured = await measureReordered(streams, cameras, { daemon, events, seconds, config });
    const rows = measured.map(({ name, milliseconds, goalMs }) => row(name, milliseconds, goalMs));
    print(rows);
    return rows.every(({ met }) => met);
  } finally {
    await daemon.stop();
    await events.close();
    await cameras.stop();
  }
}

async function main(): Promise<boolean> {
  let met = true;
  for (const name of values.parts.split(',')) {
    const part = PARTS[name];
    if (part === undefined)
      throw new Error(`there is no part "${name}"; parts: ${Object.keys(PARTS).join(', ')}`);
    met = (await part()) && met;
  }
  return met;
}

runBench('latency', main);
