/** A connection for declaring and inspecting queues: opened when it is needed, closed if it does not answer. */
import type { ChannelModel } from 'amqplib';
import { closeInTime, connectBroker, leaveHost } from '../../connections/rabbitmq';
import { withDeadline } from '../../clock/sleep';

/** A new quorum queue elects its leader first. */
const ANSWER_MS = 15_000;

interface Link {
  readonly connection: ChannelModel;
  readonly socket: AbortController;
}

export class DeclaringLink {
  #link: Link | undefined;
  #opening: { readonly link: Promise<Link>; readonly socket: AbortController } | undefined;

  /** @param name shown in RabbitMQ's list of connections */
  constructor(
    private readonly url: string,
    private readonly name: string,
  ) {}

  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** A connection that fails, or does not answer in time, is closed. Throws whatever the connection or `work` throws. */
  async use<Result>(work: (connection: ChannelModel) => Promise<Result>): Promise<Result> {
    let used: Link | undefined;
    const run = async () => {
      used = this.#link ?? (await this.#opened());
      return { result: await work(used.connection) };
    };
    try {
      const done = await withDeadline(run(), ANSWER_MS);
      if (done === undefined) throw new Error(`no answer to a declaration within ${ANSWER_MS} ms`);
      return done.result;
    } catch (error) {
      if (used === undefined) this.#opening?.socket.abort();
      else this.#giveUp(used);
      throw error;
    }
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    await closeInTime(link.connection);
    link.socket.abort();
  }

  #giveUp(link: Link): void {
    leaveHost(link.connection);
    if (this.#link === link) this.#link = undefined;
    link.socket.abort();
  }

  /** One at a time, however many ask. */
  async #opened(): Promise<Link> {
    if (this.#opening === undefined) {
      const socket = new AbortController();
      const link = this.#open(socket).finally(() => {
        this.#opening = undefined;
      });
      this.#opening = { link, socket };
    }
    return this.#opening.link;
  }

  async #open(socket: AbortController): Promise<Link> {
    const connection = await connectBroker(this.url, this.name, socket.signal);
    const link = { connection, socket };
    this.#link = link;
    connection.on('error', () => undefined);
    connection.on('close', () => {
      if (this.#link === link) this.#link = undefined;
    });
    return link;
  }
}
