/** Consumers of both kits that are killed at random moments while frames come, and what they say they did. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel } from 'amqplib';
import { Redis } from 'ioredis';
import { deadLetterName } from '../src/contract';
import { declareService, deleteServices, FrameSource, keysOf } from './frame-source';
import { waitUntil, type OwnedProcess } from './process';
import type { PythonEvent } from './python-consumer';
import type { Random } from './random';
import type { TestServers } from './servers';
import { KITS, spawnConsumer, type Kit } from './spawn-consumer';

/** Announced and not yet worked on by the slowest service, at most. */
const WINDOW = 500;
const CAMERAS = 4;
const WORK_S = 0.002;
/** A consumer that says nothing for this long, and whose queue is empty, may be done. */
const IDLE_MS = 1000;
const DEADLINE_MS = 120_000;
/** Redis removes keys that no client reads some time after they have expired. */
const EXPIRY_MS = 2000;

export interface KillTrial {
  /** The kits of the services, each with a queue and one consumer at a time; `either` changes with each start. */
  readonly kits: readonly (Kit | 'either')[];
  readonly removal: 'after' | 'getdel' | 'keep';
  readonly frames: number;
  /** How long a picture stays in Redis. */
  readonly lifeMs: number;
  /** Until then, what is left in Redis is not looked at. */
  readonly isExpiryAwaited?: boolean;
  /** Each message says that all services must have the frame, and the last one removes it. */
  readonly isShared?: boolean;
  /** A consumer is killed after it has worked on as many frames as this, at most. */
  readonly lifeFrames: number;
  readonly namespace: string;
}

export interface KillFindings {
  readonly kills: number;
  /** For each service, how often the work on each frame was begun and ended, by the id of its message. */
  readonly begun: readonly Map<string, number>[];
  readonly done: readonly Map<string, number>[];
  /** Work that was begun again without the mark that it may be a repeat. */
  readonly unmarked: number;
  readonly deadLetters: number;
  /** Keys of pictures and of who is done with them in Redis when all is over, and those of them that never expire. */
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
  const queues = trial.kits.map((_, i) => `${trial.namespace}.service${i}`);
  try {
    for (const queue of queues) await declareService(channel, queue, trial.namespace);
    const services = queues.map(
      (queue, i) => new Service(trial, queue, trial.kits[i] ?? 'either', servers, random),
    );
    const worked = () => Math.min(...services.map(({ known }) => known.size));
    const publishing = publish(trial, queues, channel, redis, worked);
    await Promise.all([publishing, ...services.map((service) => service.run(channel, publishing))]);
    if (trial.isExpiryAwaited === true) await sleep(trial.lifeMs + EXPIRY_MS);
    const keys = await keysOf(redis, trial.namespace);
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
    await deleteServices(channel, queues, trial.namespace);
    await connection.close();
    const keys = await keysOf(redis, trial.namespace);
    if (keys.length > 0) await redis.unlink(keys);
    redis.disconnect();
  }
}

async function publish(
  { frames, namespace, lifeMs, isShared }: KillTrial,
  queues: readonly string[],
  channel: Channel,
  redis: Redis,
  worked: () => number,
): Promise<void> {
  const recipients = Object.fromEntries(queues.map((queue) => [queue, 'after' as const]));
  const bytes = Buffer.from('picture');
  const options = { namespace, bytes, lifeMs, recipients: isShared === true ? recipients : undefined };
  const source = new FrameSource(channel, redis, options);
  for (let i = 0; i < frames; i += 1) {
    if (i - worked() >= WINDOW)
      await waitUntil('frames are worked on', () => i - worked() < WINDOW, DEADLINE_MS);
    await source.send(i % CAMERAS);
  }
}

/** One consumer after the other, of one queue. */
class Service {
  readonly begun = new Map<string, number>();
  readonly done = new Map<string, number>();
  /** Keys of frames that were worked on, or settled otherwise. */
  readonly known = new Set<string>();
  kills = 0;
  unmarked = 0;
  #frames = 0;
  #isConsuming = false;
  #saidMs = 0;

  constructor(
    private readonly trial: KillTrial,
    private readonly queue: string,
    private readonly kit: KillTrial['kits'][number],
    private readonly servers: TestServers,
    private readonly random: Random,
  ) {}

  /** Until all that was published is settled. */
  async run(channel: Channel, publishing: Promise<void>): Promise<void> {
    let isPublished = false;
    // Whether it fails is seen where it is awaited.
    const publish = () => (isPublished = true);
    void publishing.then(publish, () => undefined);
    const messages = async () => (await channel.checkQueue(this.queue)).messageCount;
    for (;;) {
      const consumer = await this.#start();
      const until = this.#frames + this.random.between(1, this.trial.lifeFrames);
      const isIdle = () => isPublished && this.#isConsuming && Date.now() - this.#saidMs > IDLE_MS;
      const condition = async () => {
        if (consumer.exit() !== undefined) throw new Error(`a consumer has ended: ${consumer.stderr()}`);
        return this.#frames >= until || (isIdle() && (await messages()) === 0);
      };
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
    const kit = this.kit === 'either' ? this.random.pick(KITS) : this.kit;
    const { removal } = this.trial;
    const options = { queue: this.queue, removal, prefetch: 8, behaviour: { sleepS: WORK_S } };
    const consumer = await spawnConsumer(kit, options, this.servers);
    createInterface({ input: consumer.stdout }).on('line', (line) =>
      this.#note(JSON.parse(line) as PythonEvent),
    );
    return consumer;
  }

  #note({ kind, id = '', key, redelivered }: PythonEvent): void {
    this.#saidMs = Date.now();
    if (kind === 'consuming') this.#isConsuming = true;
    if (key !== undefined) this.known.add(key);
    if (kind !== 'frame' && kind !== 'done') return;
    const counts = kind === 'frame' ? this.begun : this.done;
    if (kind === 'frame') this.#frames += 1;
    if (kind === 'frame' && this.begun.has(id) && redelivered !== true) this.unmarked += 1;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
}
