/** Processor time and start times of this checkout and of another commit, measured alternately in one run. */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MAIN, startDaemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers } from '../lab/events';
import { clip, CLIP_DEFAULTS } from '../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../lab/feeds/rtsp';
import { markdownTable } from '../lab/markdown-table';
import { percentile } from '../lab/percentile';
import { waitUntil } from '../lab/process';
import { buildCommit } from '../lab/other-commit';
import { cpuSeconds, tree } from './process-cost';
import { runBench } from './run';

/** The start is over by then. */
const WARM_UP_MS = 5000;
const START_DEADLINE_MS = 120_000;

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    cameras: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '3' },
  },
});
const [CAMERAS, SECONDS, ROUNDS] = [values.cameras, values.seconds, values.rounds].map(Number) as [
  number,
  number,
  number,
];

interface Cost {
  /** Processor seconds per camera and minute, all processes but the servers. */
  readonly perCameraMinute: number;
  /** Milliseconds from the daemon's start until the last camera's first frame is at a consumer. */
  readonly startMs: number;
  /** Processor seconds until then. */
  readonly startProcessorS: number;
}

const ROWS: readonly (readonly [keyof Cost, string, number])[] = [
  ['perCameraMinute', 'processor seconds per camera and minute', 2],
  ['startMs', 'start: milliseconds until every camera has delivered', 0],
  ['startProcessorS', 'start: processor seconds until then', 2],
];

async function measure(main: string, feed: RtspServer): Promise<Cost> {
  const namespace = newNamespace();
  const events = await listen(namespace);
  const cameras = Array.from({ length: CAMERAS }, (_, i) => ({ id: `cam${i}`, url: feed.url('/cam') }));
  const startedAt = performance.now();
  const daemon = startDaemon({ main, config: { namespace, ...remoteServers(), cameras } });
  try {
    const haveAll = () => cameras.every(({ id }) => events.frames(id).length > 0);
    await waitUntil('every camera has delivered', haveAll, START_DEADLINE_MS);
    const startMs = performance.now() - startedAt;
    const startProcessorS = cpuSeconds(tree(daemon.pid));
    await wait(WARM_UP_MS);
    const pids = tree(daemon.pid);
    const [before, beganAt] = [cpuSeconds(pids), performance.now()];
    await wait(SECONDS * 1000);
    const minutes = (performance.now() - beganAt) / 60_000;
    return { perCameraMinute: (cpuSeconds(pids) - before) / minutes / CAMERAS, startMs, startProcessorS };
  } finally {
    await daemon.stop();
    await events.close();
  }
}

function table(here: readonly Cost[], there: readonly Cost[], hash: string): string {
  const rows = ROWS.map(([key, what, digits]) => {
    const [now, then] = [here, there].map((costs) =>
      percentile(
        costs.map((cost) => cost[key]),
        0.5,
      ),
    ) as [number, number];
    const change = 100 * (now / then - 1);
    return [
      what,
      then.toFixed(digits),
      now.toFixed(digits),
      `${change < 0 ? '' : '+'}${change.toFixed(1)} %`,
    ];
  });
  return markdownTable([`median of ${here.length}`, hash, 'this checkout', 'change'], rows);
}

async function main(): Promise<void> {
  if (values.against === undefined) throw new Error('name the other commit: --against COMMIT');
  const other = buildCommit(values.against);
  const video = { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } as const;
  const feed = await startRtspServer({ mounts: { '/cam': video } });
  const [here, there]: [Cost[], Cost[]] = [[], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const sides = [
        [other.main, there],
        [MAIN, here],
      ] as const;
      for (const [entry, costs] of round % 2 === 0 ? sides : [...sides].reverse())
        costs.push(await measure(entry, feed));
    }
    console.log(table(here, there, other.hash));
  } finally {
    await feed.stop();
    other.remove();
  }
}

runBench('compare', main);
