/**
 * What a frame costs after its capture: a daemon without cameras delivers a spool of several thousand frames
 * as fast as possible. Reports frames a second, and processor milliseconds of each process per frame. With
 * `--live`, every camera has a new frame each second instead: measures whether all keep up with distant
 * servers.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import startNotifier from '../src/actors/notifier/actor';
import startStore from '../src/actors/store/actor';
import { defaultQueue } from '../src/contract/broker-names';
import { openLog } from '../src/log/log';
import type { Actor } from '../src/protocol/actor';
import { spoolName } from '../src/spool/names';
import { Spool } from '../src/spool/spool';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDir, startDaemon, type Daemon } from '../lab/daemon';
import { FaultProxy } from '../lab/fault-proxy';
import { newNamespace, remoteServers } from '../lab/events';
import { waitUntil } from '../lab/process';
import { actorName, below, processTable } from '../lab/process-table';
import { cpuSeconds } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '8000' },
    cameras: { type: 'string', default: '32' },
    kilobytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    'round-trip': { type: 'string', default: '0' },
    live: { type: 'string', default: '0' },
  },
});
const [FRAMES, CAMERAS, KILOBYTES] = [values.frames, values.cameras, values.kilobytes].map(Number) as [
  number,
  number,
  number,
];
/** More than can be delivered. */
const RATE = 10_000;
const PERIOD_MS = 1000;
const DEADLINE_MS = 600_000;

/** Round trip to each server, milliseconds. */
const ROUND_TRIP_MS = Number(values['round-trip']);
/** Seconds for which every camera has a new frame each second. */
const LIVE_S = Number(values.live);
/** Limits the memory of the servers: half a minute of 500 cameras. */
const LIVE_EXPIRE_MS = 20_000;
const MAX_LENGTH = 1_000_000;
const DRAIN_MS = 10_000;
const SIZE = { width: 1920, height: 1080, format: 'jpeg' } as const;
const QUEUE = { overflow: 'reject-publish', deliveryLimit: 5, required: true } as const;
const SPOOL = { maxBytes: 4e9, maxFrames: 1e6, maxAgeMs: 3.6e6, minFreeBytes: 0 };

function fillSpool(dir: string): void {
  const bytes = randomBytes(KILOBYTES * 1024);
  const perCamera = Math.ceil(FRAMES / CAMERAS);
  const from = Math.floor(Date.now() / PERIOD_MS) - perCamera - 10;
  for (let i = 0; i < FRAMES; i++) {
    const camera = `cam${i % CAMERAS}`;
    const sequence = from + Math.floor(i / CAMERAS);
    const frame = { camera, capturedAt: sequence * PERIOD_MS, sequence, width: 1920, height: 1080 };
    const folder = path.join(dir, 'data', 'spool', camera);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, spoolName({ ...frame, format: 'jpeg', bytes: bytes.length })), bytes);
  }
}

async function measure(): Promise<string> {
  const { redis, rabbitmq } = remoteServers();
  const proxies = [await FaultProxy.start(portOf(redis)), await FaultProxy.start(portOf(rabbitmq))] as const;
  for (const proxy of proxies) proxy.network = { kind: 'latency', ms: ROUND_TRIP_MS / 2 };
  const far = {
    redis: withPort(redis, proxies[0].port),
    rabbitmq: withPort(rabbitmq, proxies[1].port),
  };
  const servers = ROUND_TRIP_MS === 0 ? { redis, rabbitmq } : far;
  try {
    return LIVE_S === 0 ? await backlog(servers) : await live(servers.redis, servers.rabbitmq);
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

async function backlog(servers: ReturnType<typeof remoteServers>): Promise<string> {
  const dir = newDir();
  fillSpool(dir);
  const [frames, spool] = [{ expireMs: 60_000 }, { replayRate: RATE }];
  const daemon = startDaemon({
    dir,
    config: {
      namespace: newNamespace(),
      ...servers,
      frames,
      queue: { maxLength: MAX_LENGTH },
      spool,
      cameras: [],
    },
  });
  try {
    await daemon.said(/^ready/);
    return await drain(daemon);
  } finally {
    await daemon.stop();
  }
}

async function drain(daemon: Daemon): Promise<string> {
  const processes = [['supervisor', daemon.pid] as const, ...actors(daemon.pid)];
  const cpu = () => processes.map(([, pid]) => cpuSeconds([pid]));
  const delivered = () => storeFact(daemon, 'delivered');
  await waitUntil('the first frames are delivered', async () => (await delivered()) > 0);
  const [first, before, from] = [await delivered(), cpu(), performance.now()];
  await waitUntil('all frames are delivered', async () => (await delivered()) >= FRAMES, DEADLINE_MS);
  const [after, to] = [cpu(), performance.now()];
  const count = FRAMES - first;
  const cost = processes.map(
    ([name], i) => `${name} ${((((after[i] ?? 0) - (before[i] ?? 0)) / count) * 1000).toFixed(2)}`,
  );
  return `${((count / (to - from)) * 1000).toFixed(0)} frames/s; processor ms a frame: ${cost.join(', ')}; ${await memory(daemon)}`;
}

/**
 * Every camera has a frame each second, at a time of its own. This process acts as the cameras, so store and
 * notifier run in it too: nothing else would notify the store of a new frame.
 */
async function live(redisUrl: string, amqpUrl: string): Promise<string> {
  const namespace = newNamespace();
  const spoolDir = path.join(newDir(), 'spool');
  const log = openLog('backlog', 'warn');
  const store: Actor = startStore({
    parameters: {
      holder: { id: namespace, name: 'benchmark' },
      ...{ redisUrl, namespace, spoolDir, expireMs: LIVE_EXPIRE_MS, drainMs: DRAIN_MS, durability: 'memory' },
      spool: { ...SPOOL, replay: 'newest-first', replayRate: RATE },
    },
    log,
    report: (report) => {
      if (report.kind === 'announce') notifier.receive(report);
    },
  });
  const queue = { ...{ name: defaultQueue(namespace), maxLength: MAX_LENGTH }, ...QUEUE };
  const notifier: Actor = startNotifier({
    parameters: { amqpUrl, namespace, expireMs: LIVE_EXPIRE_MS, queue },
    log,
    report: (report) => {
      if (report.kind === 'announced') store.receive(report);
    },
  });
  const facts = () => ({ ...notifier.progress().facts, ...store.progress().facts });
  await waitUntil('servers answer', () => facts()['redis'] === 'ready' && facts()['rabbitmq'] === 'ready');
  const [spool, bytes] = [new Spool(spoolDir), randomBytes(KILOBYTES * 1024)];
  const [waiting, count]: [number[], number] = [[], LIVE_S * CAMERAS];
  for (let i = 0; i < CAMERAS; i++) await spool.openCamera(cameraOf(i));
  let mostBytes = 0;
  const from = performance.now();
  for (let i = 0; i < count; i++) {
    const aheadMs = from + (i * PERIOD_MS) / CAMERAS - performance.now();
    if (aheadMs > 1) await sleep(aheadMs);
    const capturedAt = Date.now();
    const sequence = Math.floor(capturedAt / PERIOD_MS);
    const frame = { camera: cameraOf(i), capturedAt, sequence, ...SIZE, bytes: bytes.length };
    await spool.write(frame, bytes);
    store.receive({ kind: 'frame', frame });
    if (i % CAMERAS !== CAMERAS - 1) continue;
    waiting.push(Number(facts()['waiting']));
    mostBytes = Math.max(mostBytes, process.memoryUsage().rss);
  }
  const tookS = (performance.now() - from) / 1000;
  const delivered = Number(facts()['delivered']);
  await store.stop();
  await notifier.stop();
  return `${(delivered / tookS).toFixed(0)} of ${(count / tookS).toFixed(0)} frames/s; waiting or on their way, each second: ${waiting.join(' ')}; MB of store, notifier and cameras: ${(mostBytes / 1_048_576).toFixed(0)}`;
}

function cameraOf(i: number): string {
  return `cam${i % CAMERAS}`;
}

async function storeFact(daemon: Daemon, fact: string): Promise<number> {
  const { children } = await daemon.status();
  return Number(children.find(({ name }) => name === 'store')?.heartbeat?.facts[fact] ?? 0);
}

async function memory(daemon: Daemon): Promise<string> {
  const { children } = await daemon.status();
  const each = children.map(
    ({ name, heartbeat }) => `${name} ${((heartbeat?.memoryBytes ?? 0) / 1_048_576).toFixed(0)}`,
  );
  return `MB: ${each.join(', ')}`;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function withPort(url: string, port: number): string {
  return url.replace(/:\d+(?=\/|$)/, `:${port}`);
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
