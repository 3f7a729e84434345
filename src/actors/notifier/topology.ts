/** Declares what the contract promises on RabbitMQ where it is absent, on a connection of its own. */
import type { Channel, ChannelModel } from 'amqplib';
import { connectBroker } from '../../broker/connect';
import { sleep, withDeadline } from '../../clock/sleep';
import type { QueueSpec } from '../../config/topology';
import { deadLetterName, frameExchange, routingKey } from '../../contract/topology';

/** Dead messages kept for a person to look at; the oldest go first. */
const MAX_DEAD_LETTERS = 10_000;
const DEAD_LETTER_TTL_MS = 24 * 3600 * 1000;
/** What somebody deletes is missed no longer. Publishing itself tells only when no queue at all is left. */
const CHECK_MS = 10_000;
/** A new quorum queue elects its leader first. */
const DECLARE_MS = 15_000;
const CLOSE_MS = 500;

/** AMQP 0-9-1 reply codes. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

export interface BrokerTopologyOptions {
  readonly url: string;
  readonly namespace: string;
  readonly queue: QueueSpec;
  /** Something exists otherwise than configured, or may not be declared, and is used as it is. */
  readonly onConflict: (sentence: string) => void;
}

/** Exchange, detection queue with its dead-letter queue, and the bindings between them. */
export class BrokerTopology {
  #link: { readonly connection: ChannelModel; readonly socket: AbortController } | undefined;

  constructor(private readonly options: BrokerTopologyOptions) {}

  /** Declares everything; rejects when the broker does not answer, or what was declared is not there. */
  async ensure(): Promise<void> {
    await this.#use(async (connection) => {
      for (const { what, declare } of this.#steps()) {
        const refusal = await refusalOf(connection, declare);
        if (refusal !== undefined) this.options.onConflict(`${what} ${refusal}`);
      }
    });
  }

  /** Looks now and then whether all is there, and declares it if not; ends with `signal`. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Without a connection nothing was declared yet, and the next session of the publisher does that.
      if (this.#link !== undefined) await this.#check().catch(() => undefined);
      await sleep(CHECK_MS, signal);
    }
    await this.close();
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    await withDeadline(link.connection.close(), CLOSE_MS).catch(() => undefined);
    link.socket.abort();
  }

  async #check(): Promise<void> {
    const { namespace, queue } = this.options;
    const missing = await this.#use((connection) =>
      onOwnChannel(connection, async (channel) => {
        await channel.checkExchange(frameExchange(namespace));
        await channel.checkQueue(queue.name);
        await channel.bindQueue(queue.name, frameExchange(namespace), routingKey('*', 'frame'));
        return false;
      }).catch((error: unknown) => {
        if (codeOf(error) === NOT_FOUND) return true;
        if (codeOf(error) === ACCESS_REFUSED) return false;
        throw error;
      }),
    );
    if (missing) await this.ensure();
  }

  #steps(): { what: string; declare: (channel: Channel) => Promise<unknown> }[] {
    const { namespace, queue } = this.options;
    const [exchange, dead] = [frameExchange(namespace), deadLetterName(queue.name)];
    return [
      { what: `exchange ${exchange}`, declare: (channel) => channel.assertExchange(exchange, 'topic') },
      { what: `exchange ${dead}`, declare: (channel) => channel.assertExchange(dead, 'fanout') },
      { what: `queue ${dead}`, declare: (channel) => channel.assertQueue(dead, DEAD_LETTER_QUEUE) },
      { what: `binding of ${dead}`, declare: (channel) => channel.bindQueue(dead, dead, '') },
      {
        what: `queue ${queue.name}`,
        declare: (channel) => channel.assertQueue(queue.name, queueOptions(queue)),
      },
      {
        what: `binding of ${queue.name}`,
        declare: (channel) => channel.bindQueue(queue.name, exchange, routingKey('*', 'frame')),
      },
    ];
  }

  /** A connection that fails, or does not answer in time, is given up. */
  async #use<Result>(work: (connection: ChannelModel) => Promise<Result>): Promise<Result> {
    const socket = this.#link?.socket ?? new AbortController();
    try {
      const done = await withDeadline(this.#run(socket, work), DECLARE_MS);
      if (done === undefined) throw new Error(`no answer to a declaration within ${String(DECLARE_MS)} ms`);
      return done.result;
    } catch (error) {
      this.#link = undefined;
      socket.abort();
      throw error;
    }
  }

  async #run<Result>(
    socket: AbortController,
    work: (connection: ChannelModel) => Promise<Result>,
  ): Promise<{ result: Result }> {
    this.#link ??= await this.#open(socket);
    return { result: await work(this.#link.connection) };
  }

  async #open(socket: AbortController): Promise<{ connection: ChannelModel; socket: AbortController }> {
    const connection = await connectBroker(this.options.url, 'vigil notifier declares', socket.signal);
    connection.on('error', () => undefined);
    connection.on('close', () => {
      if (this.#link?.connection === connection) this.#link = undefined;
    });
    return { connection, socket };
  }
}

const DEAD_LETTER_QUEUE = {
  durable: true,
  arguments: {
    'x-queue-type': 'quorum',
    'x-max-length': MAX_DEAD_LETTERS,
    'x-overflow': 'drop-head',
    'x-message-ttl': DEAD_LETTER_TTL_MS,
  },
};

function queueOptions(queue: QueueSpec) {
  return {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-max-length': queue.maxLength,
      'x-overflow': queue.overflow,
      'x-delivery-limit': queue.deliveryLimit,
      'x-dead-letter-exchange': deadLetterName(queue.name),
    },
  };
}

/** Why a declaration was refused for good, as the end of a sentence; anything else that fails is thrown. */
async function refusalOf(
  connection: ChannelModel,
  declare: (channel: Channel) => Promise<unknown>,
): Promise<string | undefined> {
  try {
    await onOwnChannel(connection, declare);
    return undefined;
  } catch (error) {
    if (codeOf(error) === PRECONDITION_FAILED)
      return "exists with other settings than the configuration's and is used as it is; delete it to have it declared anew";
    if (codeOf(error) === ACCESS_REFUSED)
      return 'may not be declared by this user; somebody else must have done so';
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** A refused declaration closes its channel, so each has its own. */
async function onOwnChannel<T>(connection: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  // The refusal also rejects the declaration, which is where it is handled.
  channel.on('error', () => undefined);
  const result = await work(channel);
  await channel.close();
  return result;
}
