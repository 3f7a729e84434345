/** What starts cost: processor time of each camera from its fork to its first frame at a consumer, and the time until all have one. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants, newDir, startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../lab/events';
import { smallVideo } from '../lab/feeds/small-video';
import { percentile } from '../lab/percentile';
import { cpuSeconds, tree } from './process-cost';

const DEADLINE_MS = 300_000;
/** Pictures a second per camera: low, so that running cameras leave the processor to starting ones. */
const RATE = 0.2;
/** Seconds: longer than the starts of all cameras, since a decoder is replaced when the video begins again. */
const VIDEO_S = 300;
/** A consumer's wait for first frames: what a process does within it counts as its start. */
const LOOK_MS = 5;

interface Cost {
  /** Processor milliseconds of the camera's own process, and of the ffmpegs below it that still run. */
  readonly nodeMs: number;
  readonly ffmpegMs: number;
}

interface Starts {
  readonly cameras: number;
  readonly costs: readonly Cost[];
  /** Milliseconds from the daemon's fork until the last camera has a frame confirmed, and processor milliseconds of all till then. */
  readonly allMs: number;
  readonly totalMs: number;
}

/** This many cameras that read one small file, started at once by a daemon on that folder. */
async function measureStarts(cameras: number, dir: string): Promise<Starts> {
  const namespace = newNamespace();
  const events = await listen(namespace);
  const file = await smallVideo(dir, VIDEO_S);
  const sources = Array.from({ length: cameras }, (_, i) => ({
    id: `cam${i}`,
    file,
    width: 160,
    rate: RATE,
  }));
  const startedAt = performance.now();
  const daemon = startDaemon({ dir, config: { namespace, ...remoteServers(), cameras: sources } });
  try {
    const costs = await firstFrames(daemon, events, new Set(sources.map(({ id }) => id)));
    const allMs = Math.round(performance.now() - startedAt);
    return { cameras, costs, allMs, totalMs: 1000 * cpuSeconds(tree(daemon.pid)) };
  } finally {
    // Not its stop(), which removes the folder.
    daemon.signal('SIGTERM');
    await daemon.exited;
    await events.close();
  }
}

/** Starts the first number of cameras on an empty folder, then all on the same one, where Node has kept compiled code. */
export async function startsTable(counts: readonly number[]): Promise<string> {
  const dir = newDir();
  const rows: string[] = [];
  try {
    for (const count of [...counts.slice(0, 1), ...counts])
      rows.push(row(rows.length === 0 ? 'first' : 'again', await measureStarts(count, dir)));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  const header = ['cameras', 'Node p50', 'p95', 'ffmpegs', 'p95', 'each', 'all s'].map((cell) =>
    cell.padStart(9),
  );
  return [
    `CPU ms from fork to first frame, Node ${process.version}`,
    `starts${header.join('')}`,
    ...rows,
  ].join('\n');
}

function row(name: string, { cameras, costs, allMs, totalMs }: Starts): string {
  const of = (what: keyof Cost) =>
    [0.5, 0.95].map((share) =>
      percentile(
        costs.map((cost) => cost[what]),
        share,
      ),
    );
  const cells = [cameras, ...of('nodeMs'), ...of('ffmpegMs'), totalMs / cameras].map((cell) =>
    cell.toFixed(0),
  );
  return name.padEnd(6) + [...cells, (allMs / 1000).toFixed(1)].map((cell) => cell.padStart(9)).join('');
}

async function firstFrames(daemon: Daemon, events: Listener, awaited: Set<string>): Promise<Cost[]> {
  const costs: Promise<Cost>[] = [];
  // Not a frame that the last daemon left in the spool.
  const sinceMs = Date.now();
  let looked = 0;
  const look = () => {
    for (const { event } of events.received.slice(looked)) {
      looked++;
      if (event.type !== 'vigil.frame.sampled.v1' || event.data.capturedAt < sinceMs) continue;
      if (!awaited.delete(event.subject)) continue;
      costs.push(daemon.actorPid(`camera:${event.subject}`).then(costOf));
    }
    return awaited.size === 0;
  };
  const deadline = performance.now() + DEADLINE_MS;
  while (!look()) {
    if (performance.now() > deadline) throw new Error(`no frame of ${[...awaited].join(', ')}`);
    await delay(LOOK_MS);
  }
  return Promise.all(costs);
}

function costOf(pid: number): Cost {
  return { nodeMs: 1000 * cpuSeconds([pid]), ffmpegMs: 1000 * cpuSeconds(descendants(pid)) };
}
