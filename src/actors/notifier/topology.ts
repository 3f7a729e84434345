/** Declares what the contract promises on RabbitMQ where it is absent, on a connection of its own. */
import type { Channel, ChannelModel } from 'amqplib';
import { connectBroker } from '../../broker/connect';
import { accessRefusal, lacking, type Needs } from '../../broker/access';
import { sleep, withDeadline } from '../../clock/sleep';
import type { QueueSpec } from '../../config/topology';
import { redactUrl } from '../../config/url';
import { frameExchange, routingKey } from '../../contract/topology';
import { Fault } from '../../protocol/fault';
import { DROPPED, topologySteps, type Step } from './topology-steps';

/** What somebody deletes is missed no longer. Publishing itself tells only when no queue at all is left. */
const CHECK_MS = 10_000;
/** A new quorum queue elects its leader first. */
const DECLARE_MS = 15_000;
const CLOSE_MS = 500;

/** AMQP 0-9-1 reply codes. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const RESOURCE_LOCKED = 405;
const PRECONDITION_FAILED = 406;

/** Something on the broker that is not as the contract has it. */
export interface TopologyNote {
  readonly message: string;
  /** Something is missing or other than configured; else it only was declared by somebody else. */
  readonly isFault: boolean;
}

export interface BrokerTopologyOptions {
  readonly url: string;
  readonly namespace: string;
  readonly queue: QueueSpec;
  readonly onNote: (note: TopologyNote) => void;
}

/** Exchange, detection queue with its dead-letter queue, and the bindings between them. */
export class BrokerTopology {
  #link: { readonly connection: ChannelModel; readonly socket: AbortController } | undefined;
  /** Why the queue may not be there, or not bound, as the end of a sentence. */
  #hindrance: string | undefined;

  constructor(private readonly options: BrokerTopologyOptions) {}

  /** Why no queue may take what is published, as far as it is known: the end of a sentence. */
  get hindrance(): string | undefined {
    return this.#hindrance;
  }

  /**
   * Declares everything that is absent and may be declared; what others have declared is used as it is.
   * @throws Fault `broker-topology` without the exchange; whatever the connection throws
   */
  async ensure(): Promise<void> {
    await this.#use(async (connection) => {
      this.#hindrance = undefined;
      for (const step of topologySteps(this.options.namespace, this.options.queue))
        await this.#take(connection, step);
    });
  }

  async #take(connection: ChannelModel, step: Step): Promise<void> {
    const { what, declare, isQueues } = step;
    const error = await failureOf(connection, declare);
    if (error === undefined) return;
    const code = codeOf(error);
    if (code === PRECONDITION_FAILED)
      this.#note(
        `${what} exists with other settings than the configuration's and is used as it is; delete it to have it declared anew`,
      );
    else if (code === RESOURCE_LOCKED)
      this.#note(`${what} belongs to one connection alone (exclusive); delete it to have it declared anew`);
    else if (code === ACCESS_REFUSED) {
      await this.#refused(connection, step, error.message);
    } else if (code !== NOT_FOUND || step.check !== undefined) throw error;
    // A binding of what is missing, which was said before.
    else if (isQueues) this.#hindrance ??= 'its queue is missing';
  }

  /** It may not be declared: that matters only if nobody else has done so. */
  async #refused(connection: ChannelModel, step: Step, said: string): Promise<void> {
    const { what, check, needs, lesser, without, isQueues } = step;
    const lacks = lackOf(said, needs);
    if (check === undefined) {
      if (isQueues) this.#hindrance ??= `this user ${lacks}, which binding one takes`;
      this.#note(`${what} was not made: this user ${lacks}; somebody else must have made it`, false);
      return;
    }
    if (await exists(connection, check)) {
      this.#note(`${what} is used as it is: this user ${lacks}`, false);
      return;
    }
    if (lesser !== undefined && (await failureOf(connection, lesser.declare)) === undefined) {
      this.#note(
        `${what} is declared without dead letters: this user ${lackOf(said, lesser.lacks)}; ${DROPPED}`,
      );
      return;
    }
    const missing = `${what} is missing, and this user may not declare it: it ${lacks}`;
    if (isQueues) this.#hindrance ??= missing;
    if (without !== undefined) {
      this.#note(`${missing}; ${without}`);
      return;
    }
    const where = `rabbitmq at ${redactUrl(this.options.url)}`;
    throw new Fault('broker-topology', `${where}: ${missing}; grant that right, or declare it`);
  }

  #note(message: string, isFault = true): void {
    this.options.onNote({ message, isFault });
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

function lackOf(said: string, needs: Needs): string {
  const refusal = accessRefusal(said, needs);
  return refusal === undefined ? `was refused: ${said}` : lacking(refusal);
}

/** The error of a declaration that was refused; anything else that fails is thrown. */
async function failureOf(
  connection: ChannelModel,
  declare: (channel: Channel) => Promise<unknown>,
): Promise<Error | undefined> {
  try {
    await onOwnChannel(connection, declare);
    return undefined;
  } catch (error) {
    if (typeof codeOf(error) === 'number' && error instanceof Error) return error;
    throw error;
  }
}

/** A passive declaration asks for no right. */
async function exists(
  connection: ChannelModel,
  check: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  const error = await failureOf(connection, check);
  return error === undefined || codeOf(error) !== NOT_FOUND;
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
