/** Sees every event of a namespace through a quorum queue, whichever broker of several dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { VigilEvent } from '../src/contract/message';
import { frameExchange } from '../src/contract/broker-names';
import { hostsOf } from '../src/url/url';
import { EventListener, type Received } from './events';

const RETRY_MS = 250;
const ATTEMPT_MS = 5000;
/** A frozen broker is noticed after twice as long. */
const HEARTBEAT_S = 5;

export class SteadyListener extends EventListener {
  #isClosed = false;
  #end: () => Promise<void> = () => Promise.resolve();
  #ran: Promise<void> = Promise.resolve();
  /** What the broker has delivered: it does so again where it has not heard that it was taken. */
  readonly #taken = new Set<string>();

  private constructor(
    private readonly namespace: string,
    private readonly urls: readonly string[],
    private readonly all: Received[],
  ) {
    super(all, async () => {
      this.#isClosed = true;
      await this.#end();
      await this.#ran;
    });
  }

  /** Resolves when its queue is there. */
  static async open(namespace: string, amqpUrl: string): Promise<SteadyListener> {
    const urls = hostsOf(amqpUrl).map((one) => {
      const url = new URL(one);
      url.searchParams.set('heartbeat', String(HEARTBEAT_S));
      return url.href;
    });
    const listener = new SteadyListener(namespace, urls, []);
    await new Promise<void>((resolve) => {
      listener.#ran = listener.#run(resolve);
    });
    return listener;
  }

  async #run(onOpen: () => void): Promise<void> {
    for (let i = 0; ; i++) {
      await this.#listenOnce(this.urls[i % this.urls.length] ?? '', onOpen).catch(() => undefined);
      if (this.#isClosed) return;
      await sleep(RETRY_MS);
    }
  }

  async #listenOnce(url: string, onOpen: () => void): Promise<void> {
    const connection = await connect(url, { timeout: ATTEMPT_MS });
    const closed = new Promise((resolve) => connection.once('close', resolve));
    connection.on('error', () => undefined);
    this.#end = () => connection.close().catch(() => undefined);
    const channel = await connection.createChannel();
    channel.on('error', () => void this.#end());
    await channel.assertExchange(frameExchange(this.namespace), 'topic', { durable: true });
    const name = `${this.namespace}.seen`;
    await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(name, frameExchange(this.namespace), 'camera.#');
    await channel.consume(name, (message) => {
      // The queue was deleted, or its leader has gone.
      if (message === null) return void this.#end();
      const { fields, properties, content } = message;
      const id = String(properties.messageId);
      const isKnown = fields.redelivered && this.#taken.has(id);
      this.#taken.add(id);
      if (!isKnown)
        this.all.push({
          event: JSON.parse(content.toString()) as VigilEvent,
          routingKey: fields.routingKey,
          receivedAt: Date.now(),
          properties,
        });
      channel.ack(message);
    });
    onOpen();
    await closed;
  }
}
