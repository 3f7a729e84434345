/**
 * What a frame costs behind its camera: a spool of some thousand frames is delivered by a daemon without cameras, as fast
 * as it can. Frames a second, and processor milliseconds of each process for every frame.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { spoolName } from '../src/spool/names';
import { newDir, startDaemon } from '../test/support/daemon';
import { newNamespace, remoteServers } from '../test/support/events';
import { waitUntil } from '../test/support/process';
import { actorName, below, processTable } from '../test/support/process-table';
import { cpuSeconds } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '8000' },
    cameras: { type: 'string', default: '32' },
    kilobytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
  },
});
const [FRAMES, CAMERAS, KILOBYTES] = [values.frames, values.cameras, values.kilobytes].map(Number) as [
  number,
  number,
  number,
];
/** More than can be. */
const RATE = 10_000;
const PERIOD_MS = 1000;
const DEADLINE_MS = 600_000;

function fillSpool(dir: string): void {
  const bytes = randomBytes(KILOBYTES * 1024);
  const perCamera = Math.ceil(FRAMES / CAMERAS);
  const from = Math.floor(Date.now() / PERIOD_MS) - perCamera - 10;
  for (let i = 0; i < FRAMES; i++) {
    const camera = `cam${String(i % CAMERAS)}`;
    const sequence = from + Math.floor(i / CAMERAS);
    const frame = { camera, capturedAt: sequence * PERIOD_MS, sequence, width: 1920, height: 1080 };
    const folder = path.join(dir, 'data', 'spool', camera);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, spoolName({ ...frame, format: 'jpeg', bytes: bytes.length })), bytes);
  }
}

async function measure(): Promise<string> {
  const dir = newDir();
  fillSpool(dir);
  const frames = { expireMs: 60_000 };
  const spool = { replayRate: RATE };
  const daemon = startDaemon({
    dir,
    config: { namespace: newNamespace(), ...remoteServers(), frames, spool, cameras: [] },
  });
  try {
    await daemon.said(/^ready/);
    const processes = [['supervisor', daemon.pid] as const, ...actors(daemon.pid)];
    const cpu = () => processes.map(([, pid]) => cpuSeconds([pid]));
    const delivered = async () => {
      const { children } = await daemon.status();
      return Number(children.find(({ name }) => name === 'store')?.heartbeat?.facts['delivered'] ?? 0);
    };
    await waitUntil('the first frames are delivered', async () => (await delivered()) > 0);
    const [first, before, from] = [await delivered(), cpu(), performance.now()];
    await waitUntil('all frames are delivered', async () => (await delivered()) >= FRAMES, DEADLINE_MS);
    const [after, to] = [cpu(), performance.now()];
    const count = FRAMES - first;
    const cost = processes.map(
      ([name], i) => `${name} ${((((after[i] ?? 0) - (before[i] ?? 0)) / count) * 1000).toFixed(2)}`,
    );
    return `${((count / (to - from)) * 1000).toFixed(0)} frames/s; processor ms a frame: ${cost.join(', ')}`;
  } finally {
    await daemon.stop();
  }
}

function actors(pid: number): (readonly [string, number])[] {
  return below(processTable(), pid).flatMap((row) => {
    const name = actorName(row);
    return name === undefined ? [] : [[name, row.pid] as const];
  });
}

runBench('backlog', async () => {
  for (let round = 0; round < Number(values.rounds); round++) console.log(await measure());
});
