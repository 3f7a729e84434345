/** What a consumer sees: every event of a namespace, and the frames behind them. */
import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import Redis from 'ioredis';
import sharp from 'sharp';
import type { CameraStateChanged, FrameSampled, FramesMissed, VigilEvent } from '../src/contract/message';
import { frameExchange } from '../src/contract/broker-names';
import { waitUntil } from './process';
import { testServers } from './servers';

/** A namespace no other test uses: all tests share the servers. */
export function newNamespace(): string {
  return `t${randomBytes(5).toString('hex')}`;
}

/** The part of actors.json that points a daemon at the test servers. */
export function remoteServers(): { redis: string; rabbitmq: string } {
  const { redisUrl, amqpUrl } = testServers();
  return { redis: redisUrl, rabbitmq: amqpUrl };
}

export interface Received {
  readonly event: VigilEvent;
  readonly routingKey: string;
  readonly receivedAt: number;
  readonly properties: {
    messageId?: string;
    contentType?: string;
    deliveryMode?: number;
    expiration?: string;
    headers?: Readonly<Record<string, unknown>> | undefined;
  };
}

export interface Listener {
  readonly received: readonly Received[];
  frames(camera: string): FrameSampled['data'][];
  states(camera: string): CameraStateChanged['data'][];
  gaps(camera: string): FramesMissed['data'][];
  /** Waits until a camera has announced `count` frames in all. */
  gotFrames(camera: string, count: number, deadlineMs?: number): Promise<FrameSampled['data'][]>;
  /** The same, and until no sequence between the first and the last is missing: live frames overtake the backlog. */
  gotEverySecond(
    camera: string,
    count: number,
    options?: { afterSequence?: number; deadlineMs?: number },
  ): Promise<FrameSampled['data'][]>;
  /** Waits until a camera was in a state with that fault. */
  gotFault(camera: string, code: string, deadlineMs?: number): Promise<CameraStateChanged['data']>;
  close(): Promise<void>;
}

/** Listens to all events of a namespace through a queue of its own, from before the daemon starts. */
export async function listen(namespace: string, amqpUrl = testServers().amqpUrl): Promise<Listener> {
  const connection = await connect(amqpUrl);
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  await channel.assertExchange(frameExchange(namespace), 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, frameExchange(namespace), 'camera.#');
  const received: Received[] = [];
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      received.push({
        event: JSON.parse(message.content.toString()) as VigilEvent,
        routingKey: message.fields.routingKey,
        receivedAt: Date.now(),
        properties: message.properties,
      });
    },
    { noAck: true },
  );
  return new EventListener(received, async () => {
    await connection.close();
  });
}

export class EventListener implements Listener {
  constructor(
    readonly received: readonly Received[],
    readonly close: () => Promise<void>,
  ) {}

  frames(camera: string): FrameSampled['data'][] {
    return this.#data<FrameSampled['data']>('vigil.frame.sampled.v1', camera);
  }

  states(camera: string): CameraStateChanged['data'][] {
    return this.#data<CameraStateChanged['data']>('vigil.camera.state.v1', camera);
  }

  gaps(camera: string): FramesMissed['data'][] {
    return this.#data<FramesMissed['data']>('vigil.camera.gap.v1', camera);
  }

  async gotFrames(camera: string, count: number, deadlineMs = 40_000): Promise<FrameSampled['data'][]> {
    const what = `${count} frames of ${camera}`;
    await waitUntil(what, () => this.frames(camera).length >= count, deadlineMs).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; its states: ${JSON.stringify(this.states(camera))}`);
    });
    return this.frames(camera);
  }

  async gotEverySecond(
    camera: string,
    count: number,
    { afterSequence = 0, deadlineMs = 40_000 }: { afterSequence?: number; deadlineMs?: number } = {},
  ): Promise<FrameSampled['data'][]> {
    const frames = () => this.frames(camera).filter(({ sequence }) => sequence > afterSequence);
    const sequences = () => [...new Set(frames().map(({ sequence }) => sequence))].sort((a, b) => a - b);
    const first = () => (afterSequence === 0 ? (sequences()[0] ?? 0) : afterSequence + 1);
    const complete = () =>
      sequences().length >= count && sequences().every((sequence, i) => sequence === first() + i);
    const what = `${count} frames of ${camera} without a hole`;
    await waitUntil(what, complete, deadlineMs).catch((error: unknown) => {
      const seen = `sequences ${String(sequences())}, states ${JSON.stringify(this.states(camera))}`;
      throw new Error(`${(error as Error).message}; ${seen}`);
    });
    return frames();
  }

  async gotFault(camera: string, code: string, deadlineMs = 40_000): Promise<CameraStateChanged['data']> {
    const find = () => this.states(camera).find(({ fault }) => fault?.code === code);
    await waitUntil(`fault ${code} of ${camera}`, () => find() !== undefined, deadlineMs).catch(
      (error: unknown) => {
        throw new Error(`${(error as Error).message}; its states: ${JSON.stringify(this.states(camera))}`);
      },
    );
    return find() as CameraStateChanged['data'];
  }

  #data<Data>(type: VigilEvent['type'], camera: string): Data[] {
    return this.received
      .map(({ event }) => event)
      .filter((event) => event.type === type && event.subject === camera)
      .map(({ data }) => data as Data);
  }
}

/** Takes a frame out of Redis as a single consumer does. */
export async function getdel(key: string, redisUrl = testServers().redisUrl): Promise<Buffer | null> {
  return withRedis((redis) => redis.getdelBuffer(key), redisUrl);
}

export async function withRedis<T>(
  work: (redis: Redis) => Promise<T>,
  redisUrl = testServers().redisUrl,
): Promise<T> {
  const redis = new Redis(redisUrl);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Format, size and mean colour of a picture, decoded to its last row. */
export async function look(
  picture: Buffer,
): Promise<{ format: string; width: number; height: number; rgb: number[] }> {
  const { format, width, height } = await sharp(picture).metadata();
  const { channels } = await sharp(picture).stats();
  return {
    format,
    width,
    height,
    rgb: channels.slice(0, 3).map(({ mean }) => Math.round(mean)),
  };
}
