/** Consumers of both kits that are killed at random moments while frames come, and what they say they did. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel } from 'amqplib';
import { Redis } from 'ioredis';
import { deadLetterName, frameExchange, frameKey, routingKey } from '../src/contract';
import { frameSampled } from '../src/contract/events';
import type { Frame } from '../src/contract/frame';
import { waitUntil, type OwnedProcess } from './process';
import type { PythonEvent } from './python-consumer';
import type { Random } from './random';
import type { TestServers } from './servers';
import { spawnConsumer, type Kit } from './spawn-consumer';

/** As the daemon declares its queue by default. */
const DELIVERY_LIMIT = 5;
const LIFE_MS = 600_000;
const CAMERAS = 4;
const WORK_S = 0.002;
/** A consumer that says nothing for this long, and whose queue is empty, may be done. */
const IDLE_MS = 1000;
const DEADLINE_MS = 120_000;

export interface KillTrial {
  readonly kit: Kit;
  readonly removal: 'after' | 'getdel' | 'keep';
  readonly frames: number;
  /** Services that each have a queue, and one consumer. */
  readonly services: number;
  /** A consumer is killed after it has worked on as many frames as this, at most. */
  readonly lifeFrames: number;
  readonly namespace: string;
}

export interface KillFindings {
  readonly kills: number;
  /** Of each service, how often the work on each frame was begun and ended, by key. */
  readonly begun: readonly Map<string, number>[];
  readonly done: readonly Map<string, number>[];
  /** Work that was begun again without the mark that it may be a repeat. */
  readonly unmarked: number;
  readonly deadLetters: number;
  /** Keys of frames in Redis when all is over, and those of them that never expire. */
  readonly keys: number;
  readonly everlasting: number;
}

export async function runKills(
  trial: KillTrial,
  servers: TestServers,
  random: Random,
): Promise<KillFindings> {
  const connection = await connect(servers.amqpUrl);
  const channel = await connection.createChannel();
  const redis = new Redis(servers.redisUrl);
  const queues = Array.from({ length: trial.services }, (_, i) => `${trial.namespace}.service${i}`);
  try {
    await channel.assertExchange(frameExchange(trial.namespace), 'topic', { durable: true });
    for (const queue of queues) await declareService(channel, queue, trial.namespace);
    const services = queues.map((queue) => new Service(trial, queue, servers, random));
    const publishing = publish(trial, channel, redis);
    await Promise.all(services.map((service) => service.run(channel, publishing)));
    const keys = await redis.keys(`${trial.namespace}:frame:*`);
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
    const dead = await Promise.all(queues.map((queue) => channel.checkQueue(deadLetterName(queue))));
    return {
      kills: services.reduce((sum, { kills }) => sum + kills, 0),
      begun: services.map(({ begun }) => begun),
      done: services.map(({ done }) => done),
      unmarked: services.reduce((sum, { unmarked }) => sum + unmarked, 0),
      deadLetters: dead.reduce((sum, { messageCount }) => sum + messageCount, 0),
      keys: keys.length,
      everlasting: lives.filter((life) => life < 0).length,
    };
  } finally {
    for (const queue of queues) {
      await channel.deleteQueue(queue);
      await channel.deleteQueue(deadLetterName(queue));
      await channel.deleteExchange(deadLetterName(queue));
    }
    await channel.deleteExchange(frameExchange(trial.namespace));
    await connection.close();
    const keys = await redis.keys(`${trial.namespace}:*`);
    if (keys.length > 0) await redis.unlink(keys);
    redis.disconnect();
  }
}

export async function declareService(channel: Channel, queue: string, namespace: string): Promise<void> {
  const dead = deadLetterName(queue);
  await channel.assertExchange(dead, 'fanout', { durable: true });
  await channel.assertQueue(dead, { durable: true });
  await channel.bindQueue(dead, dead, '');
  const limits = { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT };
  await channel.assertQueue(queue, { durable: true, deadLetterExchange: dead, arguments: limits });
  await channel.bindQueue(queue, frameExchange(namespace), routingKey('*', 'frame'));
}

async function publish({ frames, namespace }: KillTrial, channel: Channel, redis: Redis): Promise<void> {
  const bytes = Buffer.from('picture');
  for (let i = 0; i < frames; i += 1) {
    const capturedAt = 1_700_000_000_000 + i;
    const frame: Frame = {
      ...{ camera: `camera-${i % CAMERAS}`, capturedAt, sequence: i, width: 64, height: 48 },
      ...{ format: 'jpeg', bytes: bytes.length },
    };
    await redis.set(frameKey(namespace, frame), bytes, 'PX', LIFE_MS);
    const body = Buffer.from(JSON.stringify(frameSampled(namespace, frame, false, capturedAt)));
    channel.publish(frameExchange(namespace), routingKey(frame.camera, 'frame'), body, { persistent: true });
  }
}

/** One consumer after the other, of one queue. */
class Service {
  readonly begun = new Map<string, number>();
  readonly done = new Map<string, number>();
  kills = 0;
  unmarked = 0;
  #frames = 0;
  #isConsuming = false;
  #saidMs = 0;

  constructor(
    private readonly trial: KillTrial,
    private readonly queue: string,
    private readonly servers: TestServers,
    private readonly random: Random,
  ) {}

  /** Until all that was published is settled. */
  async run(channel: Channel, publishing: Promise<void>): Promise<void> {
    let isPublished = false;
    void publishing.then(() => (isPublished = true));
    const messages = async () => (await channel.checkQueue(this.queue)).messageCount;
    for (;;) {
      const consumer = await this.#start();
      const until = this.#frames + this.random.between(1, this.trial.lifeFrames);
      const isIdle = () => isPublished && this.#isConsuming && Date.now() - this.#saidMs > IDLE_MS;
      const condition = async () => this.#frames >= until || (isIdle() && (await messages()) === 0);
      await waitUntil(`${this.queue} is worked on`, condition, DEADLINE_MS);
      if (this.#frames >= until) {
        // Also in the middle of what follows the work.
        await sleep(this.random.next() * 8);
        consumer.signal('SIGKILL');
        await consumer.exited;
        this.kills += 1;
        continue;
      }
      await consumer.end();
      // What it held is in the queue again, once the broker has noticed.
      await waitUntil(
        'the consumer has gone',
        async () => (await channel.checkQueue(this.queue)).consumerCount === 0,
      );
      if ((await messages()) === 0) return;
    }
  }

  async #start(): Promise<OwnedProcess> {
    this.#isConsuming = false;
    const { kit, removal } = this.trial;
    const options = { queue: this.queue, removal, prefetch: 8, behaviour: { sleepS: WORK_S } };
    const consumer = await spawnConsumer(kit, options, this.servers);
    createInterface({ input: consumer.stdout }).on('line', (line) =>
      this.#note(JSON.parse(line) as PythonEvent),
    );
    return consumer;
  }

  #note({ kind, key = '', redelivered }: PythonEvent): void {
    this.#saidMs = Date.now();
    if (kind === 'consuming') this.#isConsuming = true;
    if (kind !== 'frame' && kind !== 'done') return;
    const counts = kind === 'frame' ? this.begun : this.done;
    if (kind === 'frame') this.#frames += 1;
    if (kind === 'frame' && this.begun.has(key) && redelivered !== true) this.unmarked += 1;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}
