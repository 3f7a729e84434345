/** Stores frames and announces them, as the daemon does, to queues that a trial declares. */
import type { Channel } from 'amqplib';
import type { Redis } from 'ioredis';
import { deadLetterName, frameExchange, frameKey, routingKey, type Frame } from '../src/contract';
import { frameSampled } from '../src/contract/events';
import type { Recipients } from '../src/contract/message';

/** As the daemon declares its queue by default. */
const DELIVERY_LIMIT = 5;

export interface SourceOptions {
  readonly namespace: string;
  readonly bytes: Buffer;
  /** How long a picture stays in Redis. */
  readonly lifeMs: number;
  /** Where several services must have each frame. */
  readonly recipients?: Recipients | undefined;
}

export class FrameSource {
  #capturedAt = 0;

  constructor(
    private readonly channel: Channel,
    private readonly redis: Redis,
    private readonly options: SourceOptions,
  ) {}

  /** Captured now, or a millisecond after the one before. */
  async send(camera: number): Promise<void> {
    const { namespace, bytes, lifeMs, recipients } = this.options;
    this.#capturedAt = Math.max(Date.now(), this.#capturedAt + 1);
    const capturedAt = this.#capturedAt;
    const frame: Frame = {
      ...{ camera: `camera-${camera}`, capturedAt, sequence: Math.floor(capturedAt / 1000) },
      ...{ width: 1920, height: 1080, format: 'jpeg', bytes: bytes.length },
    };
    await this.redis.set(frameKey(namespace, frame), bytes, 'PX', lifeMs);
    const event = frameSampled(namespace, frame, false, Date.now(), [], { recipients });
    const body = Buffer.from(JSON.stringify(event));
    const key = routingKey(frame.camera, 'frame');
    this.channel.publish(frameExchange(namespace), key, body, { persistent: true, messageId: event.id });
  }
}

/** A quorum queue with its dead-letter queue, to which all frames of the namespace come. */
export async function declareService(channel: Channel, queue: string, namespace: string): Promise<void> {
  const dead = deadLetterName(queue);
  await channel.assertExchange(frameExchange(namespace), 'topic', { durable: true });
  await channel.assertExchange(dead, 'fanout', { durable: true });
  await channel.assertQueue(dead, { durable: true });
  await channel.bindQueue(dead, dead, '');
  const limits = { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT };
  await channel.assertQueue(queue, { durable: true, deadLetterExchange: dead, arguments: limits });
  await channel.bindQueue(queue, frameExchange(namespace), routingKey('*', 'frame'));
}

/** Deletes what {@link declareService} has declared. */
export async function deleteServices(
  channel: Channel,
  queues: readonly string[],
  namespace: string,
): Promise<void> {
  for (const queue of queues) {
    await channel.deleteQueue(queue);
    await channel.deleteQueue(deadLetterName(queue));
    await channel.deleteExchange(deadLetterName(queue));
  }
  await channel.deleteExchange(frameExchange(namespace));
}

/** All keys of the namespace: pictures, and the sets of who is done with them. */
export function keysOf(redis: Redis, namespace: string): Promise<string[]> {
  return redis.keys(`*${namespace}:frame:*`);
}
