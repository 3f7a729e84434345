/**
 * Performance of the kits in TypeScript and Python on real servers: frames a second and the processor time of
 * each, how late frames of 32 cameras reach the handler, and whether memory is flat. Prints the tables of
 * docs/consumers.md.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, type Channel } from 'amqplib';
import { Redis } from 'ioredis';
import type { FrameSampled } from '../src/contract/message';
import { declareService, deleteServices, FrameSource, keysOf } from '../lab/frame-source';
import { markdownTable } from '../lab/markdown-table';
import { percentile } from '../lab/percentile';
import { waitUntil } from '../lab/process';
import { testServers } from '../lab/servers';
import { spawnConsumer, type Kit } from '../lab/spawn-consumer';
import { cpuSeconds } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'rate,latency' },
    kits: { type: 'string', default: 'typescript,python' },
    removals: { type: 'string', default: 'after' },
    frames: { type: 'string', default: '20000' },
    kilobytes: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
  },
});
const [FRAMES, KILOBYTES, SECONDS] = [values.frames, values.kilobytes, values.seconds].map(Number) as [
  number,
  number,
  number,
];
const CAMERAS = 32;
/** Maximum number of frames announced and not yet handled: those in Redis. */
const WINDOW = 500;
/** Frames that the consumer reports in one line. */
const EVERY = 100;
/** Frames written at the same time. */
const BATCH = 50;
const PREFETCH = 16;
/** How long pictures stay in Redis: with `keep`, all of them. */
const LIFE_MS = { after: 120_000, getdel: 120_000, keep: 10_000 } as const;
const DEADLINE_MS = 1_800_000;
/** Memory is reported after this many frames. */
const MEMORY_EVERY = 10_000;
/** Issue 18's goals, on 2 cores. */
const GOALS = { typescript: 1000, python: 700, p95Ms: 20, growth: 1.1 } as const;
const NAMES = { typescript: 'TypeScript', python: 'Python' } as const;

type Removal = 'after' | 'getdel' | 'keep';

/** A report of the number of frames that have reached the handler. */
interface Count {
  readonly kind: string;
  readonly count: number;
  /** Milliseconds from the capture to the handler, of the frames since the previous line. */
  readonly latencies: readonly number[];
  readonly rssKiB: number;
  readonly atMs: number;
}

interface Stage {
  readonly kit: Kit;
  readonly pid: number;
  readonly source: FrameSource;
  readonly counts: readonly Count[];
  readonly channel: Channel;
  readonly namespace: string;
  readonly until: (count: number) => Promise<void>;
}

/** A consumer at work; `work` sends it frames. */
async function onStage<T>(kit: Kit, removal: Removal, every: number, work: (stage: Stage) => Promise<T>) {
  const servers = testServers();
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const queue = `${namespace}.detection`;
  // As the daemon does: otherwise a frame waits about 40 ms for the acknowledgement of the previous one.
  const connection = await connect(servers.amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  const redis = new Redis(servers.redisUrl);
  await declareService(channel, queue, namespace);
  const options = { queue, removal, prefetch: PREFETCH, behaviour: { every } };
  const consumer = await spawnConsumer(kit, options, servers);
  const [counts, faults]: [Count[], string[]] = [[], []];
  createInterface({ input: consumer.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Count;
    if (said.kind === 'count') counts.push({ ...said, atMs: performance.now() });
    else if (said.kind === 'fault') faults.push(line);
  });
  const until = (count: number) => {
    const isReached = () => {
      // Frames that failed are never counted.
      if (faults.length > 0) throw new Error(`${kit} reports ${faults.join()}`);
      return (counts.at(-1)?.count ?? 0) >= count;
    };
    return waitUntil(`${kit} has ${count} frames: ${consumer.stderr()}`, isReached, DEADLINE_MS);
  };
  const bytes = randomBytes(KILOBYTES * 1024);
  const source = new FrameSource(channel, redis, { namespace, bytes, lifeMs: LIFE_MS[removal] });
  try {
    return await work({ kit, pid: consumer.pid, source, counts, channel, namespace, until });
  } finally {
    await consumer.end();
    await deleteServices(channel, [queue, bareQueue(namespace)], namespace);
    await connection.close();
    const keys = await keysOf(redis, namespace);
    if (keys.length > 0) await redis.unlink(keys);
    redis.disconnect();
  }
}

function bareQueue(namespace: string): string {
  return `${namespace}.bare`;
}

/** Without a kit and without Redis: milliseconds from the capture to its message, the minimum that the servers need. */
async function consumeBare({ channel, namespace }: Stage): Promise<number[]> {
  const latencies: number[] = [];
  const queue = bareQueue(namespace);
  await declareService(channel, queue, namespace);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    channel.ack(message);
    const { data } = JSON.parse(message.content.toString()) as FrameSampled;
    latencies.push(Date.now() - data.capturedAt);
  });
  return latencies;
}

/** Sends frames as fast as they are handled. Returns the processor seconds of all frames but the first. */
async function pour({ pid, source, counts, until }: Stage, frames: number): Promise<number> {
  let startS = NaN;
  const worked = () => counts.at(-1)?.count ?? 0;
  for (let i = 0; i < frames; i += BATCH) {
    if (Number.isNaN(startS) && worked() > 0) startS = cpuSeconds([pid]);
    if (i - worked() >= WINDOW) await until(i - WINDOW + EVERY);
    await Promise.all(Array.from({ length: BATCH }, (_, camera) => source.send(camera % CAMERAS)));
  }
  await until(frames);
  return cpuSeconds([pid]) - startS;
}

async function rate(kit: Kit, removal: Removal) {
  return onStage(kit, removal, EVERY, async (stage) => {
    const cpuS = await pour(stage, FRAMES);
    // The start is not measured.
    const [begin, end] = [stage.counts[4], stage.counts.at(-1)];
    if (begin === undefined || end === undefined) throw new Error('too few frames');
    const perSecond = (1000 * (end.count - begin.count)) / (end.atMs - begin.atMs);
    const cells = [perSecond.toFixed(0), String(GOALS[kit]), ((1000 * cpuS) / (FRAMES - EVERY)).toFixed(2)];
    return { isMet: perSecond >= GOALS[kit], row: [NAMES[kit], `\`${removal}\``, ...cells] };
  });
}

/** @param isTogether whether all cameras' frames are sent at the same moment, instead of spread over the second */
async function latency(kit: Kit, isTogether: boolean) {
  return onStage(kit, 'after', 1, async (stage) => {
    // The first frames open connections and the whole window.
    await pour(stage, WINDOW);
    const told = stage.counts.length;
    const bare = await consumeBare(stage);
    let dueMs = performance.now();
    for (let i = 0; i < CAMERAS * SECONDS; i += 1) {
      if (!isTogether || i % CAMERAS === 0) dueMs += 1000 / (isTogether ? 1 : CAMERAS);
      await sleep(Math.max(0, dueMs - performance.now()));
      await stage.source.send(i % CAMERAS);
    }
    await stage.until(WINDOW + CAMERAS * SECONDS);
    const latencies = stage.counts.slice(told).flatMap((count) => count.latencies);
    const of = (list: readonly number[]) =>
      [0.5, 0.95, 0.99].map((share) => percentile(list, share).toFixed(1));
    const isMet = percentile(latencies, 0.95) <= GOALS.p95Ms;
    const when = isTogether ? 'at the same moment' : 'spread over the second';
    return { isMet, row: [NAMES[kit], when, ...of(latencies), of(bare).join(' / ')] };
  });
}

async function memory(kit: Kit, removal: Removal) {
  return onStage(kit, removal, EVERY, async (stage) => {
    await pour(stage, FRAMES);
    const mebibytes = (count: Count) => (count.rssKiB / 1024).toFixed(0);
    const [start, end] = [stage.counts[0], stage.counts.at(-1)];
    const tenths = stage.counts.filter(({ count }) => count % MEMORY_EVERY === 0);
    const half = stage.counts[Math.floor(stage.counts.length / 2)];
    if (start === undefined || half === undefined || end === undefined) throw new Error('too few frames');
    const growth = end.rssKiB / half.rssKiB;
    const row = [NAMES[kit], `\`${removal}\``, `${FRAMES}`, `${KILOBYTES} KB`, mebibytes(start)];
    return {
      isMet: growth <= GOALS.growth,
      row: [...row, tenths.map(mebibytes).join(', '), growth.toFixed(2)],
    };
  });
}

interface Finding {
  readonly isMet: boolean;
  readonly row: readonly string[];
}

async function part(head: readonly string[], rows: readonly (() => Promise<Finding>)[]): Promise<boolean> {
  const loads = loadavg()[0]?.toFixed(1) ?? '';
  const findings: Finding[] = [];
  for (const row of rows) {
    const finding = await row();
    process.stderr.write(`${finding.isMet ? 'met' : 'missed'}: ${finding.row.join(', ')}\n`);
    findings.push(finding);
  }
  console.log(`${availableParallelism()} cores, load ${loads} before\n`);
  console.log(
    `${markdownTable(
      head,
      findings.map(({ row }) => row),
    )}\n`,
  );
  return findings.every(({ isMet }) => isMet);
}

function isAsked(name: string): boolean {
  return values.parts.split(',').includes(name);
}

runBench('consumers', async () => {
  const kits = values.kits.split(',') as Kit[];
  const removals = values.removals.split(',') as Removal[];
  const each = <T>(make: (kit: Kit, removal: Removal) => T) =>
    kits.flatMap((kit) => removals.map((removal) => make(kit, removal)));
  let isMet = true;
  if (isAsked('rate'))
    isMet = await part(
      ['kit', '`removal`', 'frames a second', 'goal', 'processor ms a frame'],
      each((kit, removal) => () => rate(kit, removal)),
    );
  if (isAsked('latency')) {
    const head = ['kit', `frames of ${CAMERAS} cameras, each second`, 'p50 ms', 'p95 ms', 'p99 ms'];
    const rows = kits.flatMap((kit) => [false, true].map((isTogether) => () => latency(kit, isTogether)));
    isMet = (await part([...head, 'to a bare consumer'], rows)) && isMet;
  }
  if (isAsked('memory')) {
    const head = ['kit', '`removal`', 'frames', 'of', 'MiB at the start', `each ${MEMORY_EVERY} frames`];
    const rows = each((kit, removal) => () => memory(kit, removal));
    isMet = (await part([...head, 'end to half'], rows)) && isMet;
  }
  return isMet;
});
