/** The consumer of the harness: takes every announcement off the queue and looks whether the bytes are there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openFrameQueue, type FrameQueue } from '../../src/consumer/frame-queue';
import type { QueueMessage } from '../../src/consumer/queue-message';
import { readServerUrl } from '../../src/consumer/server-url';
import type { FrameSampled } from '../../src/contract/message';
import { StoreLink } from '../../src/consumer/store-link';
import { REDIS_SCHEMES } from '../../src/connections/redis-address';

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
  readonly #link: StoreLink;
  readonly #unlink = new AbortController();
  readonly #linked: Promise<void>;
  #queue: FrameQueue | undefined;
  /** Ends the present session. */
  #over = new AbortController();
  #paused = false;
  #closed = false;
  readonly #ran: Promise<void>;

  constructor(private readonly options: ConsumerOptions) {
    const server = readServerUrl('redisUrl', options.redisUrl, REDIS_SCHEMES);
    this.#link = new StoreLink({
      server: () => server,
      name: 'consumer of the fault table',
      onOpen: () => this.#link.healthy(),
      onAway: () => undefined,
    });
    this.#linked = this.#link.run(this.#unlink.signal);
    this.#ran = this.#run();
  }

  /** Consumes nothing until {@link resume}. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#queue?.close();
    this.#over.abort();
  }

  resume(): void {
    this.#paused = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue?.close();
    this.#over.abort();
    await this.#ran;
    this.#unlink.abort();
    await this.#linked;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (!this.#paused) await this.#consumeOnce().catch(() => undefined);
      await sleep(RETRY_MS);
    }
  }

  /** Resolves when the connection has ended. Rejects when it could not be opened, or there is no queue yet. */
  async #consumeOnce(): Promise<void> {
    const { amqpUrl, queue: name } = this.options;
    const over = new AbortController();
    this.#over = over;
    const ended = new Promise((resolve) => over.signal.addEventListener('abort', resolve, { once: true }));
    const onLost = () => over.abort();
    const onDelivery = (message: QueueMessage) => void this.#take(message);
    const server = readServerUrl('amqpUrl', amqpUrl, ['amqp']);
    const queue = await openFrameQueue({ server, queue: name, onDelivery, onLost }, over.signal);
    this.#queue = queue;
    try {
      await queue.subscribe(PREFETCH);
      await ended;
    } finally {
      await queue.close();
    }
  }

  async #take(message: QueueMessage): Promise<void> {
    const event = JSON.parse(message.body.toString()) as FrameSampled;
    const { id, data } = event;
    if (this.seen.has(id) && !message.redelivered) this.repeated++;
    this.seen.set(id, data);
    if (!this.receivedMs.has(id)) this.receivedMs.set(id, performance.now());
    if (await this.#check(id, data)) message.settle('ack');
  }

  /** False when the consumer was closed before Redis answered. */
  async #check(id: string, data: FrameSampled['data']): Promise<boolean> {
    while (!this.#closed) {
      if (this.#taken.has(id)) return true;
      const { store } = this.#link;
      try {
        if (store === undefined) throw new Error('Redis is away');
        this.#judge(id, data, await store.retrieve(data.key, false));
        await store.remove(data.key);
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
