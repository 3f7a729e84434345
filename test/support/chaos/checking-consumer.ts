/** The consumer of the harness: takes every announcement off the queue and looks whether the bytes are there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib';
import Redis from 'ioredis';
import type { FrameSampled } from '../../../src/contract/message';

const RETRY_MS = 250;
const PREFETCH = 50;
const JPEG_START = Buffer.from([0xff, 0xd8]);

export interface ConsumerOptions {
  readonly redisUrl: string;
  readonly amqpUrl: string;
  readonly queue: string;
  /** Lifetime of frames: a message comes when at least a tenth of it is left (docs/contract.md). */
  readonly expireMs: number;
}

export interface Findings {
  /** Frames seen, by id. */
  readonly seen: ReadonlyMap<string, FrameSampled['data']>;
  /** Announcements of a frame that had been announced before; not counting what the broker delivered again. */
  readonly repeated: number;
  /** Announced, and the bytes were not there. */
  readonly dangling: readonly string[];
  /** The same, but this consumer had held the message longer than a frame is sure to live: Redis was away. */
  readonly heldTooLong: number;
  /** The bytes were there, and not those announced. */
  readonly damaged: readonly string[];
}

export class CheckingConsumer implements Findings {
  readonly seen = new Map<string, FrameSampled['data']>();
  repeated = 0;
  readonly dangling: string[] = [];
  heldTooLong = 0;
  readonly damaged: string[] = [];
  /** When each message was first received, by frame id, on a clock that is never set. */
  readonly receivedMs = new Map<string, number>();
  /** Frames whose bytes were found, and taken. */
  readonly #taken = new Set<string>();
  readonly #redis: Redis;
  #connection: ChannelModel | undefined;
  #paused = false;
  #closed = false;
  readonly #ran: Promise<void>;

  constructor(private readonly options: ConsumerOptions) {
    this.#redis = new Redis(options.redisUrl, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => RETRY_MS,
      commandTimeout: 2000,
    });
    this.#redis.on('error', () => undefined);
    this.#ran = this.#run();
  }

  /** Consumes nothing until {@link resume}. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#connection?.close().catch(() => undefined);
  }

  resume(): void {
    this.#paused = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close().catch(() => undefined);
    await this.#ran;
    this.#redis.disconnect();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (!this.#paused) await this.#consumeOnce().catch(() => undefined);
      await sleep(RETRY_MS);
    }
  }

  /** Resolves when the connection has ended. */
  async #consumeOnce(): Promise<void> {
    const connection = await connect(this.options.amqpUrl, { timeout: 2000 });
    this.#connection = connection;
    connection.on('error', () => undefined);
    const ended = new Promise((resolve) => connection.once('close', resolve));
    try {
      const channel = await connection.createChannel();
      // Its queue may not be there yet: that closes the channel, and one comes again.
      channel.on('error', () => void connection.close().catch(() => undefined));
      await channel.prefetch(PREFETCH);
      await channel.consume(this.options.queue, (message) => {
        if (message !== null) void this.#take(channel, message);
      });
    } catch {
      await connection.close().catch(() => undefined);
    }
    await ended;
  }

  async #take(channel: Channel, message: ConsumeMessage): Promise<void> {
    const event = JSON.parse(message.content.toString()) as FrameSampled;
    const { id, data } = event;
    if (this.seen.has(id) && !message.fields.redelivered) this.repeated++;
    this.seen.set(id, data);
    if (!this.receivedMs.has(id)) this.receivedMs.set(id, performance.now());
    if (await this.#check(id, data))
      attempt(() => {
        channel.ack(message);
      });
  }

  /** False when the consumer was closed before Redis answered. */
  async #check(id: string, data: FrameSampled['data']): Promise<boolean> {
    while (!this.#closed) {
      if (this.#taken.has(id)) return true;
      try {
        this.#judge(id, data, await this.#redis.getBuffer(data.key));
        await this.#redis.unlink(data.key);
        return true;
      } catch {
        await sleep(RETRY_MS);
      }
    }
    return false;
  }

  #judge(id: string, data: FrameSampled['data'], bytes: Buffer | null): void {
    if (this.#taken.has(id)) return;
    this.#taken.add(id);
    const heldMs = performance.now() - (this.receivedMs.get(id) ?? 0);
    if (bytes === null && heldMs > this.options.expireMs / 10) this.heldTooLong++;
    else if (bytes === null) this.dangling.push(data.key);
    else if (bytes.length !== data.bytes || !bytes.subarray(0, 2).equals(JPEG_START))
      this.damaged.push(data.key);
  }
}

/** A channel that has closed meanwhile delivers again. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // It is closed.
  }
}
