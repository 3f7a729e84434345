/** A stage for one consumer on the run's private servers. Import it in a test file only. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { Redis } from 'ioredis';
import {
  consumeFrames,
  deadLetterName,
  defaultQueue,
  frameExchange,
  frameKey,
  routingKey,
  type ConsumerFault,
  type ConsumerOptions,
  type Frame,
  type FrameConsumer,
  type FrameFormat,
  type FrameHandler,
} from '../src/consumer';
import { withDeadline } from '../src/clock/sleep';
import { frameSampled } from '../src/contract/events';
import { picture, type PictureFormat } from './one-picture';
import { testServers } from './servers';

export const servers = testServers();
export const DELIVERY_LIMIT = 2;
/** How long pictures stay in Redis: longer than any test takes, on a machine that is busy with others too. */
export const LIFE_MS = 600_000;

/** A broker that owes an answer for longer is at fault, and a test that waits for it is to say so. */
const ANSWER_MS = 60_000;

export let redis: Redis;

before(async () => {
  redis = new Redis(servers.redisUrl, { lazyConnect: true });
  await redis.connect();
});

after(() => redis.disconnect());

/** A stage of its own for one test: namespace, exchange, queue, dead-letter queue. */
export class Stage {
  readonly namespace = `test-${randomBytes(6).toString('hex')}`;
  readonly queue = defaultQueue(this.namespace);
  readonly dead = deadLetterName(this.queue);
  readonly faults: ConsumerFault[] = [];
  starts = 0;
  #sequence = 0;

  private constructor(
    private readonly connection: ChannelModel,
    /** Its own, too: what happens to the queues of other tests must not hold it up. */
    readonly channel: Channel,
  ) {}

  static async open(t: TestContext): Promise<Stage> {
    const connection = await connect(servers.amqpUrl);
    const stage = new Stage(connection, await connection.createChannel());
    await stage.declare();
    t.after(() => stage.#remove());
    return stage;
  }

  async declare(): Promise<void> {
    await this.channel.assertExchange(frameExchange(this.namespace), 'topic', { durable: true });
    await this.channel.assertExchange(this.dead, 'fanout', { durable: true });
    await this.channel.assertQueue(this.dead, { durable: true });
    await this.channel.bindQueue(this.dead, this.dead, '');
    await this.channel.assertQueue(this.queue, {
      durable: true,
      deadLetterExchange: this.dead,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT },
    });
    await this.channel.bindQueue(this.queue, frameExchange(this.namespace), routingKey('*', 'frame'));
  }

  async #remove(): Promise<void> {
    await this.channel.deleteQueue(this.queue);
    await this.channel.deleteQueue(this.dead);
    await this.channel.deleteExchange(this.dead);
    await this.channel.deleteExchange(frameExchange(this.namespace));
    await this.connection.close();
    const keys = await redis.keys(`${this.namespace}:*`);
    if (keys.length > 0) await redis.unlink(keys);
  }

  /** A frame of this stage, each a second after the one before. */
  frame(bytes: Buffer, format: FrameFormat = 'jpeg', camera = 'gate'): Frame {
    this.#sequence += 1;
    const capturedAt = 1_700_000_000_123 + this.#sequence * 1000;
    const sequence = Math.floor(capturedAt / 1000);
    return { camera, capturedAt, sequence, width: 64, height: 48, format, bytes: bytes.length };
  }

  announce(frame: Frame): void {
    this.publish(this.announcement(frame));
  }

  announcement(frame: Frame): Buffer {
    return Buffer.from(JSON.stringify(frameSampled(this.namespace, frame, false, frame.capturedAt)));
  }

  publish(body: Buffer): void {
    this.channel.publish(frameExchange(this.namespace), routingKey('gate', 'frame'), body);
  }

  key(frame: Frame): string {
    return frameKey(this.namespace, frame);
  }

  /** Stores and announces one frame, as the daemon does. */
  async send(format: PictureFormat = 'jpeg', bytes?: Buffer, store: Redis = redis): Promise<Frame> {
    const content = bytes ?? (await picture(format));
    const frame = this.frame(content, format);
    await store.set(this.key(frame), content, 'PX', LIFE_MS);
    this.announce(frame);
    return frame;
  }

  async consume(
    t: TestContext,
    handler: FrameHandler,
    options: Partial<ConsumerOptions> = {},
  ): Promise<FrameConsumer> {
    const consumer = await consumeFrames(
      {
        ...servers,
        queue: this.queue,
        onFault: (fault) => this.faults.push(fault),
        onConsuming: () => (this.starts += 1),
        ...options,
      },
      handler,
    );
    t.after(() => consumer.close());
    return consumer;
  }

  codes(): string[] {
    return this.faults.map((fault) => fault.code);
  }

  async waiting(queue = this.queue): Promise<number> {
    const answer = await withDeadline(this.channel.checkQueue(queue), ANSWER_MS);
    if (answer === undefined) throw new Error(`RabbitMQ owes an answer for queue ${queue}`);
    return answer.messageCount;
  }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vigil-consumer-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
