/**
 * What `frames.durability` costs: the same cameras with "memory" and with "durable", alternately, on one
 * Redis that keeps an append-only file. Processor time and disk writes of store and Redis for every thousand
 * frames, memory of the store, and milliseconds from capture to the message at a consumer.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Redis from 'ioredis';
import { startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers } from '../lab/events';
import { percentile } from '../lab/percentile';
import { actorName, below, processTable } from '../lab/process-table';
import { benchClip } from './clips';
import { cpuSeconds, privateBytes } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    cameras: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '2' },
  },
});
const WARM_UP_MS = 15_000;
const DURABILITIES = ['memory', 'durable'] as const;

function storePid(daemon: Daemon): number {
  const store = below(processTable(), daemon.pid).find((row) => actorName(row) === 'store');
  if (store === undefined) throw new Error('no store runs');
  return store.pid;
}

async function redisPid(): Promise<number> {
  const redis = new Redis(remoteServers().redis);
  try {
    return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
  } finally {
    redis.disconnect();
  }
}

/** Bytes a process had written to a disk so far. */
function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

async function measure(durability: string): Promise<string> {
  const namespace = newNamespace();
  const events = await listen(namespace);
  const file = await benchClip('mjpeg');
  const ids = Array.from({ length: Number(values.cameras) }, (_, i) => `cam${i}`);
  const config = { namespace, ...remoteServers(), frames: { expireMs: 30_000, durability } };
  const daemon = startDaemon({ config: { ...config, cameras: ids.map((id) => ({ id, file })) } });
  try {
    await daemon.said(/^ready/);
    await wait(WARM_UP_MS);
    const pids = [storePid(daemon), await redisPid()];
    const look = () => ({ cpu: pids.map((pid) => cpuSeconds([pid])), written: pids.map(writtenBytes) });
    const [before, from] = [look(), Date.now()];
    await wait(Number(values.seconds) * 1000);
    const [after, to] = [look(), Date.now()];
    const store = privateBytes(pids.slice(0, 1)) / 2 ** 20;
    await wait(2000);
    const delays = events.received.flatMap(({ event, receivedAt }) =>
      event.type === 'vigil.frame.sampled.v1' && event.data.capturedAt >= from && event.data.capturedAt < to
        ? [receivedAt - event.data.capturedAt]
        : [],
    );
    const perThousand = (now: readonly number[], then: readonly number[], unit: number) =>
      now.map((value, i) => (((value - (then[i] ?? 0)) / unit / delays.length) * 1000).toFixed(2));
    return [
      durability.padEnd(10),
      String(delays.length).padStart(8),
      ...perThousand(after.cpu, before.cpu, 1).map((cell) => cell.padStart(9)),
      ...perThousand(after.written, before.written, 2 ** 20).map((cell) => cell.padStart(10)),
      store.toFixed(0).padStart(9),
      `${percentile(delays, 0.5)} / ${percentile(delays, 0.95)}`.padStart(12),
    ].join(' ');
  } finally {
    await daemon.stop();
    await events.close();
  }
}

async function main(): Promise<void> {
  console.log('for every 1,000 frames:     CPU seconds       MB written   store MB   p50/p95 ms');
  console.log('durability   frames     store     redis      store      redis');
  for (let round = 0; round < Number(values.rounds); round++)
    for (const durability of DURABILITIES) console.log(await measure(durability));
}

runBench('durability', main);
