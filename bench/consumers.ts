/**
 * How fast the kits in TypeScript and Python consume frames of 100 KB on real servers, how late frames of 32 cameras reach
 * the handler, and whether memory is flat. With `--kills`, consumers of so many frames are killed at random moments in
 * each mode instead.
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, type Channel } from 'amqplib';
import { Redis } from 'ioredis';
import { frameExchange, frameKey, routingKey, type Frame } from '../src/contract';
import { frameSampled } from '../src/contract/events';
import { declareService, runKills } from '../lab/consumer-kills';
import { percentile } from '../lab/percentile';
import { waitUntil } from '../lab/process';
import { randomOf } from '../lab/random';
import { testServers } from '../lab/servers';
import { spawnConsumer, type Kit } from '../lab/spawn-consumer';
import { cpuSeconds } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '10000' },
    kilobytes: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    kills: { type: 'string', default: '0' },
    kit: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const [FRAMES, KILOBYTES, SECONDS] = [values.frames, values.kilobytes, values.seconds].map(Number) as [
  number,
  number,
  number,
];
const KITS = (['typescript', 'python'] as const).filter((kit) => (values.kit ?? kit) === kit);
const CAMERAS = 32;
/** Announced and not yet worked on, at most: what Redis holds. */
const WINDOW = 500;
const EVERY = 100;
/** Written at the same time. */
const BATCH = 50;
const DEADLINE_MS = 1_800_000;
/** Issue 18's goals, on 2 cores. */
const GOALS = { typescript: 1000, python: 700, p95Ms: 20, growth: 1.2 } as const;

interface Count {
  readonly kind: string;
  readonly count: number;
  readonly latencies: readonly number[];
  readonly rssKiB: number;
}

async function measure(kit: Kit): Promise<boolean> {
  const servers = testServers();
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const queue = `${namespace}.detection`;
  const connection = await connect(servers.amqpUrl);
  const channel = await connection.createChannel();
  const redis = new Redis(servers.redisUrl);
  await channel.assertExchange(frameExchange(namespace), 'topic', { durable: true });
  await declareService(channel, queue, namespace);
  const behaviour = { every: EVERY };
  const consumer = await spawnConsumer(kit, { queue, removal: 'after', prefetch: 16, behaviour }, servers);
  const counts: (Count & { readonly atMs: number })[] = [];
  createInterface({ input: consumer.stdout }).on('line', (line) => {
    const count = JSON.parse(line) as Count;
    if (count.kind === 'count') counts.push({ ...count, atMs: performance.now() });
  });
  const source = new Source(namespace, channel, redis);
  const worked = () => counts.at(-1)?.count ?? 0;
  const until = (count: number) => waitUntil(`${count} frames`, () => worked() >= count, DEADLINE_MS);
  let startS = NaN;
  try {
    for (let i = 0; i < FRAMES; i += BATCH) {
      if (Number.isNaN(startS) && worked() > 0) startS = cpuSeconds([consumer.pid]);
      if (i - worked() >= WINDOW) await until(i - WINDOW + EVERY);
      await Promise.all(Array.from({ length: BATCH }, (_, camera) => source.send(camera % CAMERAS)));
    }
    await until(FRAMES);
    // Not the start.
    const [begin, middle, end] = [counts[4], counts[Math.floor(counts.length / 2)], counts.at(-1)];
    if (begin === undefined || middle === undefined || end === undefined) throw new Error('too few frames');
    const cpuMs = (1000 * (cpuSeconds([consumer.pid]) - startS)) / (FRAMES - EVERY);
    const rate = (1000 * (end.count - begin.count)) / (end.atMs - begin.atMs);
    const growth = end.rssKiB / middle.rssKiB;
    const told = counts.length;
    for (let second = 0; second < SECONDS; second += 1) {
      const nextMs = performance.now() + 1000;
      for (let camera = 0; camera < CAMERAS; camera += 1) await source.send(camera);
      await sleep(Math.max(0, nextMs - performance.now()));
    }
    await until(FRAMES + EVERY * Math.floor((CAMERAS * SECONDS) / EVERY));
    const latencies = counts.slice(told).flatMap((count) => count.latencies);
    const p95Ms = percentile(latencies, 0.95);
    console.log(
      `${kit}: ${rate.toFixed(0)} frames/s of ${KILOBYTES} KB (goal ${GOALS[kit]}), ${cpuMs.toFixed(2)} ms of processor each; p95 from the write to the handler ` +
        `${p95Ms.toFixed(1)} ms at ${CAMERAS} cameras (goal ${GOALS.p95Ms}); ${end.rssKiB} KiB, ` +
        `${growth.toFixed(2)} times those of half the frames`,
    );
    return rate >= GOALS[kit] && p95Ms <= GOALS.p95Ms && growth <= GOALS.growth;
  } finally {
    await consumer.end();
    await channel.deleteQueue(queue);
    await connection.close();
    redis.disconnect();
  }
}

class Source {
  readonly #bytes = randomBytes(KILOBYTES * 1024);
  #capturedAt = 0;

  constructor(
    private readonly namespace: string,
    private readonly channel: Channel,
    private readonly redis: Redis,
  ) {}

  async send(camera: number): Promise<void> {
    this.#capturedAt = Math.max(Date.now(), this.#capturedAt + 1);
    const capturedAt = this.#capturedAt;
    const frame: Frame = {
      ...{ camera: `camera-${camera}`, capturedAt, sequence: Math.floor(capturedAt / 1000) },
      ...{ width: 1920, height: 1080, format: 'jpeg', bytes: this.#bytes.length },
    };
    await this.redis.set(frameKey(this.namespace, frame), this.#bytes, 'PX', 120_000);
    const body = Buffer.from(JSON.stringify(frameSampled(this.namespace, frame, false, Date.now())));
    const key = routingKey(frame.camera, 'frame');
    this.channel.publish(frameExchange(this.namespace), key, body, { persistent: true });
  }
}

async function kill(kit: Kit, frames: number): Promise<boolean> {
  let isMet = true;
  for (const [removal, services] of [
    ['after', 1],
    ['getdel', 1],
    ['keep', 3],
  ] as const) {
    const namespace = `bench-${randomBytes(4).toString('hex')}`;
    const trial = { kit, removal, services, frames, lifeFrames: 400, namespace };
    const found = await runKills(trial, testServers(), randomOf(Number(values.seed)));
    const lost = found.done.reduce((sum, done) => sum + frames - done.size, 0);
    const twice = found.begun.flatMap((begun) => [...begun.values()]).filter((count) => count > 1).length;
    console.log(
      `${kit}, ${removal}, ${services} services, ${frames} frames: ${found.kills} kills, ${lost} not finished, ` +
        `${twice} begun twice (${found.unmarked} of them unmarked), ${found.deadLetters} dead letters, ` +
        `${found.keys} keys left (${found.everlasting} for ever)`,
    );
    isMet &&= removal === 'getdel' ? twice === 0 : lost === 0 && found.unmarked === 0;
    isMet &&= found.deadLetters === 0 && found.everlasting === 0 && (removal === 'keep' || found.keys === 0);
  }
  return isMet;
}

runBench('consumers', async () => {
  let isMet = true;
  for (const kit of KITS)
    isMet = (await (Number(values.kills) > 0 ? kill(kit, Number(values.kills)) : measure(kit))) && isMet;
  return isMet;
});
