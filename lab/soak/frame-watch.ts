/** The newest frame of each camera as a consumer sees them, through every restart of the broker. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connect, type ChannelModel } from 'amqplib';
import type { FrameSampled } from '../../src/contract/message';
import { frameExchange } from '../../src/contract/broker-names';

const RETRY_MS = 200;

export class FrameWatch {
  /** Capture time of each camera's newest confirmed frame. */
  readonly newest = new Map<string, number>();
  #connection: ChannelModel | undefined;
  #closed = false;
  readonly #ran: Promise<void>;

  constructor(
    private readonly dataDir: string,
    private readonly namespace: string,
  ) {
    this.#ran = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close().catch(() => undefined);
    await this.#ran;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#watchOnce().catch(() => undefined);
      await sleep(RETRY_MS);
    }
  }

  /** Resolves when the connection has ended. */
  async #watchOnce(): Promise<void> {
    const endpoints = JSON.parse(readFileSync(path.join(this.dataDir, 'endpoints.json'), 'utf8')) as {
      amqp: string;
    };
    const connection = await connect(endpoints.amqp, { timeout: 2000 });
    this.#connection = connection;
    connection.on('error', () => undefined);
    const ended = new Promise((resolve) => connection.once('close', resolve));
    await this.#subscribe(connection).catch(() => connection.close().catch(() => undefined));
    await ended;
  }

  async #subscribe(connection: ChannelModel): Promise<void> {
    const exchange = frameExchange(this.namespace);
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    await channel.assertExchange(exchange, 'topic', { durable: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, 'camera.*.frame');
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return;
        const { data } = JSON.parse(message.content.toString()) as FrameSampled;
        this.newest.set(data.camera, Math.max(data.capturedAt, this.newest.get(data.camera) ?? 0));
      },
      { noAck: true },
    );
  }
}
