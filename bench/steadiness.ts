/** One picture per period, steadily: several cameras at once, what a consumer received of each. README.md. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readLedger } from '../src/ledger/files';
import { summarize } from '../src/ledger/summary';
import { startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../lab/events';
import { startRtspServer } from '../lab/feeds/rtsp';
import { waitUntil } from '../lab/process';
import { benchClip, type Case } from './clips';
import { runBench } from './run';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const SECONDS = Number(values.seconds);
const PERIOD_MS = 1000;
/** Periods. */
const GOALS = { countOff: 1, nearest: 0.5, farthest: 1.5 };

const H264 = { codec: 'h264', size: '1280x720', fps: 25, keyframeIntervalS: 1, kilobits: 2000 } as const;
/** 0.96 s, 1 s, 1.04 s and back: keyframes wander by 0.8 s against the periods, in cycles of 50 s. */
const DRIFT = [
  ...Array<number>(20).fill(24),
  ...Array<number>(5).fill(25),
  ...Array<number>(20).fill(26),
  ...Array<number>(5).fill(25),
];
const FEEDS: Readonly<Record<string, Case>> = {
  'steady-1s': H264,
  'steady-10s': { ...H264, keyframeIntervalS: 10 },
  'steady-drift': { ...H264, keyframeDistances: DRIFT },
  'steady-mjpeg': { ...H264, codec: 'mjpeg', size: '640x360' },
};
const CAMERAS: Readonly<Record<string, { readonly feed: string; readonly settings?: object }>> = {
  'h264-1s': { feed: 'steady-1s' },
  'h264-10s': { feed: 'steady-10s' },
  'drift-auto': { feed: 'steady-drift' },
  'drift-keyframes': { feed: 'steady-drift', settings: { sampling: 'keyframes' } },
  'drift-undecoded': { feed: 'steady-drift', settings: { format: 'keyframe' } },
  mjpeg: { feed: 'steady-mjpeg' },
};
const IDS = Object.keys(CAMERAS);

interface Steadiness {
  readonly camera: string;
  readonly pictures: number;
  /** Least and greatest distance of neighbours, periods. */
  readonly nearest: number;
  readonly farthest: number;
  /** Sequence numbers between the first and the last that no picture had. */
  readonly holes: number;
  /** The same as the ledger has it, with the reasons. */
  readonly gaps: string;
}

/** What was captured between two times. */
async function steadiness(
  events: Listener,
  dataDir: string,
  from: number,
  to: number,
): Promise<Steadiness[]> {
  const record = await readLedger(path.join(dataDir, 'ledger'), from);
  const { cameras } = summarize(record, from);
  return IDS.map((camera) => {
    // A repeated message has the capture time of its original.
    const frames = new Map(events.frames(camera).map((frame) => [frame.capturedAt, frame]));
    const within = [...frames.values()]
      .filter(({ capturedAt }) => capturedAt >= from && capturedAt < to)
      .sort((a, b) => a.capturedAt - b.capturedAt);
    const distances = within.slice(1).map(({ capturedAt }, i) => capturedAt - (within[i]?.capturedAt ?? NaN));
    const sequences = new Set(within.map(({ sequence }) => sequence));
    return {
      camera,
      pictures: within.length,
      nearest: Math.min(...distances) / PERIOD_MS,
      farthest: Math.max(...distances) / PERIOD_MS,
      holes: Math.max(...sequences) - Math.min(...sequences) + 1 - sequences.size,
      gaps: gapText(cameras.find((each) => each.camera === camera)?.gap ?? {}),
    };
  });
}

function gapText(gap: Readonly<Record<string, number>>): string {
  const parts = Object.entries(gap).map(([reason, periods]) => `${periods} ${reason}`);
  return parts.length === 0 ? '0' : parts.join(', ');
}

function isMet({ pictures, nearest, farthest }: Steadiness): boolean {
  return (
    Math.abs(pictures - (SECONDS * 1000) / PERIOD_MS) <= GOALS.countOff &&
    nearest >= GOALS.nearest &&
    farthest <= GOALS.farthest
  );
}

function table(rows: readonly Steadiness[]): string {
  const line = (name: string, cells: readonly string[], last: string) =>
    `${name.padEnd(16)}${cells.map((cell) => cell.padStart(10)).join('')}  ${last}`;
  const wanted = `${SECONDS}±${GOALS.countOff}`;
  return [
    line('camera', ['pictures', 'nearest', 'farthest', 'holes'], 'gaps by the ledger'),
    line('goal', [wanted, `>=${GOALS.nearest}`, `<=${GOALS.farthest}`, ''], ''),
    ...rows.map((row) => {
      const { camera, pictures, nearest, farthest, holes, gaps } = row;
      const cells = [String(pictures), nearest.toFixed(3), farthest.toFixed(3), String(holes)];
      return line(camera, cells, `${gaps.padEnd(24)}${isMet(row) ? 'met' : 'MISSED'}`);
    }),
  ].join('\n');
}

async function observe(daemon: Daemon, events: Listener): Promise<Steadiness[]> {
  await waitUntil('all cameras deliver', () => IDS.every((id) => events.frames(id).length > 3), 120_000);
  const from = Date.now();
  await wait(SECONDS * 1000);
  const to = from + SECONDS * 1000;
  await waitUntil('what was captured is delivered', () =>
    IDS.every((id) => events.frames(id).some(({ capturedAt }) => capturedAt >= to)),
  );
  return steadiness(events, daemon.dataDir, from, to);
}

/** Whether all goals are met. */
async function main(): Promise<boolean> {
  const mounts: Record<string, { clip: string; codec: Case['codec']; fps: number }> = {};
  for (const [name, feed] of Object.entries(FEEDS))
    mounts[`/${name}`] = { clip: await benchClip(name, feed), codec: feed.codec, fps: feed.fps };
  const namespace = newNamespace();
  const server = await startRtspServer({ mounts });
  const events = await listen(namespace);
  const cameras = Object.entries(CAMERAS).map(([id, { feed, settings }]) => ({
    id,
    url: server.url(`/${feed}`),
    ...settings,
  }));
  const daemon = startDaemon({ config: { namespace, ...remoteServers(), cameras } });
  try {
    const rows = await observe(daemon, events);
    process.stdout.write(`${table(rows)}\n`);
    return rows.every(isMet);
  } finally {
    await daemon.stop();
    await events.close();
    await server.stop();
  }
}

runBench('steadiness', main);
