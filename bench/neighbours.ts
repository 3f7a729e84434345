/**
 * What trouble and edits cost other cameras. `flapping`: half of the cameras are killed whenever they run;
 * the missed seconds of the other half are counted, and the processes started in any minute. `edits`: one
 * camera after another is edited, and the missed seconds of those not edited are counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../lab/events';
import { smallVideo } from '../lab/feeds/small-video';
import { waitUntil } from '../lab/process';
import { processTable } from '../lab/process-table';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'flapping,edits' },
    cameras: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '120' },
    edits: { type: 'string', default: '50' },
  },
});

/** Share of missed seconds that the goal allows. */
const GOAL_SHARE = 0.001;
const MINUTE_MS = 60_000;
/** USER_HZ, which is 100 on every Linux that Node runs on: proc(5). */
const MS_PER_TICK = 10;

interface Setting {
  readonly daemon: Daemon;
  readonly events: Listener;
  readonly config: (widths?: ReadonlyMap<string, number>) => unknown;
  readonly ids: readonly string[];
}

async function withCameras(count: number, work: (setting: Setting) => Promise<string>): Promise<string> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-neighbours-'));
  const namespace = newNamespace();
  const file = await smallVideo(dir);
  const ids = Array.from({ length: count }, (_, i) => `cam${i}`);
  const config = (widths: ReadonlyMap<string, number> = new Map()) => ({
    namespace,
    ...remoteServers(),
    cameras: ids.map((id) => ({ id, file, width: widths.get(id) ?? 160 })),
  });
  const events = await listen(namespace);
  const daemon = startDaemon({ config: config() });
  try {
    await waitUntil('all cameras deliver', () => ids.every((id) => events.frames(id).length > 2), 120_000);
    return await work({ daemon, events, config, ids });
  } finally {
    await daemon.stop();
    await events.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Seconds between the first and the last frame since `since`, and how many of them had none. */
function coverage(
  events: Listener,
  ids: readonly string[],
  since: number,
): { seconds: number; missed: number } {
  let seconds = 0;
  let missed = 0;
  for (const id of ids) {
    const sequences = new Set(
      events
        .frames(id)
        .filter(({ capturedAt }) => capturedAt >= since)
        .map(({ sequence }) => sequence),
    );
    const span = Math.max(...sequences) - Math.min(...sequences) + 1;
    seconds += span;
    missed += span - sequences.size;
  }
  return { seconds, missed };
}

function verdict({ seconds, missed }: { seconds: number; missed: number }): string {
  const share = missed / seconds;
  return `missed ${missed} of ${seconds} seconds (${(100 * share).toFixed(3)} %, goal ${100 * GOAL_SHARE} %)`;
}

/** When a process began, milliseconds since the machine's start; undefined when it has gone. */
function startedMs(pid: number): number | undefined {
  const row = processTable().find((each) => each.pid === pid);
  return row === undefined ? undefined : Number(row.startTicks) * MS_PER_TICK;
}

function mostInAMinute(times: readonly number[]): number {
  return Math.max(
    0,
    ...times.map((at) => times.filter((other) => other >= at && other < at + MINUTE_MS).length),
  );
}

async function flapping({ daemon, events, ids }: Setting): Promise<string> {
  const troubled = new Set(ids.slice(0, ids.length / 2).map((id) => `camera:${id}`));
  const since = Date.now();
  const killed = new Set<number>();
  const known = new Set((await daemon.status()).children.map(({ pid }) => pid));
  const starts: number[] = [];
  while (Date.now() < since + Number(values.seconds) * 1000) {
    for (const { name, pid } of (await daemon.status()).children) {
      if (pid !== undefined && !known.has(pid)) starts.push(...[startedMs(pid) ?? []].flat());
      known.add(pid);
      if (pid !== undefined && troubled.has(name) && !killed.has(pid)) {
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
    }
    await delay(50);
  }
  const healthy = ids.filter((id) => !troubled.has(`camera:${id}`));
  const quarantined = (await daemon.status()).children.filter(({ state }) => state === 'quarantined').length;
  return [
    `flapping: ${troubled.size} of ${ids.length} cameras killed ${killed.size} times in ${values.seconds} s`,
    `  the others: ${verdict(coverage(events, healthy, since))}`,
    `  at most ${mostInAMinute(starts)} of ${starts.length} starts in any minute (budget 60); ${quarantined} quarantined at the end`,
  ].join('\n');
}

/** The first half is edited, one camera at a time; the second half should not be affected. */
async function edits({ daemon, events, config, ids }: Setting): Promise<string> {
  const since = Date.now();
  const widths = new Map<string, number>();
  const times: number[] = [];
  for (let i = 0; i < Number(values.edits); i++) {
    const id = ids[i % Math.floor(ids.length / 2)] ?? '';
    widths.set(id, 128 + 2 * (i % 16) + 2);
    const before = (await daemon.status()).configuration.appliedAtMs;
    const editedAt = Date.now();
    daemon.edit(config(widths));
    await waitUntil('it is applied', async () => (await daemon.status()).configuration.appliedAtMs > before);
    times.push(Date.now() - editedAt);
  }
  await delay(3000);
  const untouched = ids.slice(ids.length / 2);
  const restarts = (await daemon.status()).children.filter(
    ({ name, restarts }) => restarts > 0 && untouched.includes(name.replace('camera:', '')),
  ).length;
  times.sort((a, b) => a - b);
  return [
    `edits: ${values.edits} edits of ${ids.length - untouched.length} of ${ids.length} cameras`,
    `  the others: ${verdict(coverage(events, untouched, since))}, ${restarts} restarted`,
    `  from the edit to the camera that runs by it: p50 ${String(times[Math.floor(times.length / 2)])} ms, max ${String(times.at(-1))} ms`,
  ].join('\n');
}

runBench('neighbours', async () => {
  const only = values.only.split(',');
  const count = Number(values.cameras);
  if (only.includes('flapping')) process.stdout.write(`${await withCameras(count, flapping)}\n`);
  if (only.includes('edits')) process.stdout.write(`${await withCameras(Math.min(count, 20), edits)}\n`);
});
