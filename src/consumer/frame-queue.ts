/** One RabbitMQ connection and channel for one session of a consumer. It never reconnects: the loop opens another. */
import { randomUUID } from 'node:crypto';
import { IllegalOperationError, type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib';
import { connectBroker, leaveHost } from '../connections/rabbitmq';
import { brokerFault } from '../connections/rabbitmq-fault';
import { withDeadline } from '../clock/sleep';
import { hostsOf } from '../url/url';
import { ConsumerError, textOf } from './fault';
import { troubleOfHost } from './host-watch';
import type { ServerUrl } from './server-url';

const CLOSE_MS = 2000;
/** A queue answers in milliseconds, unless its node is cut off from the others: then never. */
const ANSWER_MS = 10_000;

/** `reject` sends the message to the dead-letter queue. */
export type Settlement = 'ack' | 'requeue' | 'reject';

export interface Delivery {
  readonly body: Buffer;
  readonly redelivered: boolean;
  /** Deliveries before this one; only quorum queues count them. */
  readonly deliveryCount?: number;
  /** How long the message may wait in the queue, milliseconds; absent where nothing says. */
  readonly lifeMs?: number;
  /** Tells the broker. Without effect on a channel that has closed: there the broker requeues by itself. */
  settle(how: Settlement): void;
}

export interface FrameQueue {
  /**
   * Has up to `prefetch` unsettled deliveries come from now on, those of earlier subscriptions aside; none at all with 0.
   * Those already on their way may still come. Calls must not overlap. Throws a {@link ConsumerError}, `queue-missing`
   * where there is no such queue.
   */
  subscribe(prefetch: number): Promise<void>;
  /** Ends deliveries for good, ahead of whatever is settled next. */
  stop(): void;
  /** Resolves when the connection has gone, by force after two seconds; never throws. */
  close(): Promise<void>;
}

export interface FrameQueueOptions {
  readonly server: ServerUrl;
  readonly queue: string;
  readonly onDelivery: (delivery: Delivery) => void;
  /** Called once when an opened connection, its channel or its subscription ends without `close`. */
  readonly onLost: (error: ConsumerError) => void;
}

/** Connects; `signal` gives up. Throws a {@link ConsumerError} `rabbitmq-...`. */
export async function openFrameQueue(options: FrameQueueOptions, signal: AbortSignal): Promise<FrameQueue> {
  if (signal.aborted) throw new ConsumerError('rabbitmq-unreachable', 'given up before connecting');
  const socket = new AbortController();
  const giveUp = () => socket.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await openChannel(options, socket);
  } catch (error) {
    throw queueFault(error, options);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function openChannel(options: FrameQueueOptions, socket: AbortController): Promise<FrameQueue> {
  const name = `vigil consumer of ${options.queue}`;
  const connection = await connectBroker(options.server.url, name, socket.signal);
  // Without a listener an error event ends the process; the close event that follows tells the loop.
  let cause: unknown;
  const remember = (error: unknown) => (cause ??= error);
  connection.on('error', remember);
  try {
    const channel = await connection.createChannel();
    channel.on('error', remember);
    return frameQueue(connection, channel, options, socket, () => cause);
  } catch (error) {
    leaveHost(connection);
    await closeWithin(CLOSE_MS, connection, socket, () => connection.close());
    throw cause ?? error;
  }
}

function frameQueue(
  connection: ChannelModel,
  channel: Channel,
  options: FrameQueueOptions,
  socket: AbortController,
  cause: () => unknown,
): FrameQueue {
  let consumerTag: string | undefined;
  let closing = false;
  let stopped = false;
  /** Since when nothing has come; undefined without a subscription. */
  let idleSinceMs: number | undefined;
  const watched = new AbortController();
  const lose = (error: unknown) => {
    if (closing) return;
    closing = true;
    watched.abort();
    leaveHost(connection);
    options.onLost(queueFault(cause() ?? error, options));
  };
  channel.on('close', () => lose(new Error('the channel was closed')));
  const idleMs = () => (idleSinceMs === undefined ? 0 : performance.now() - idleSinceMs);
  if (hostsOf(options.server.url).length > 1)
    void watchHost(connection, options, idleMs, watched.signal).then((fault) => {
      if (fault !== undefined) lose(fault);
    });
  return {
    subscribe: async (prefetch) => {
      const receive = (message: ConsumeMessage | null) => {
        if (message === null)
          lose(Object.assign(new Error(`NOT_FOUND - no queue '${options.queue}'`), { code: 404 }));
        else {
          idleSinceMs = performance.now();
          options.onDelivery(deliveryOf(channel, message));
        }
      };
      const change = async () => {
        if (consumerTag !== undefined) await channel.cancel(consumerTag);
        consumerTag = undefined;
        idleSinceMs = undefined;
        if (prefetch === 0 || stopped) return true;
        // RabbitMQ takes it for the consumers that begin afterwards; for a whole channel, quorum queues refuse it.
        await channel.prefetch(prefetch);
        consumerTag = `vigil-${randomUUID()}`;
        await channel.consume(options.queue, receive, { consumerTag });
        idleSinceMs = performance.now();
        return true;
      };
      try {
        if ((await withDeadline(change(), ANSWER_MS)) === undefined) throw noAnswer(options);
      } catch (error) {
        lose(error);
        throw queueFault(cause() ?? error, options);
      }
    },
    stop: () => {
      stopped = true;
      const tag = consumerTag;
      if (tag !== undefined) tryOnChannel(() => void channel.cancel(tag).catch(() => undefined));
      consumerTag = undefined;
    },
    close: async () => {
      closing = true;
      watched.abort();
      await closeWithin(CLOSE_MS, connection, socket, async () => {
        // Acknowledgements wait in the channel's buffer, which the closing of the connection would overtake.
        await channel.close().catch(() => undefined);
        await connection.close();
      });
    },
  };
}

/** Resolves with the fault when the host is of no use; undefined when that cannot be told, or `signal` is aborted. */
async function watchHost(
  connection: ChannelModel,
  options: FrameQueueOptions,
  idleMs: () => number,
  signal: AbortSignal,
): Promise<ConsumerError | undefined> {
  const { server, queue } = options;
  const waitingElsewhere = async () => {
    const socket = new AbortController();
    const name = `vigil consumer of ${queue} looks`;
    const other = await connectBroker(server.url, name, AbortSignal.any([socket.signal, signal]), connection);
    other.on('error', () => undefined);
    return messagesIn(queue, other).finally(() => closeWithin(CLOSE_MS, other, socket, () => other.close()));
  };
  const waiting = () => messagesIn(queue, connection);
  try {
    const trouble = await troubleOfHost({ waiting, waitingElsewhere, idleMs }, signal);
    if (trouble === undefined) return undefined;
    return new ConsumerError('rabbitmq-unreachable', `the host of rabbitmq in use ${trouble}`);
  } catch {
    // The connection is over, or the queue is gone: both are told elsewhere.
    return undefined;
  }
}

async function messagesIn(queue: string, connection: ChannelModel): Promise<number> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  const { messageCount } = await channel.checkQueue(queue);
  await channel.close();
  return messageCount;
}

function deliveryOf(channel: Channel, message: ConsumeMessage): Delivery {
  const { headers } = message.properties;
  const count: unknown = headers?.['x-delivery-count'];
  // amqplib's types have no type for what it decodes as a text.
  const lifeMs = Number(message.properties.expiration as unknown);
  return {
    body: message.content,
    redelivered: message.fields.redelivered,
    ...(typeof count === 'number' ? { deliveryCount: count } : {}),
    ...(lifeMs > 0 ? { lifeMs } : {}),
    settle: (how) =>
      tryOnChannel(() => {
        if (how === 'ack') channel.ack(message);
        else channel.nack(message, false, how === 'requeue');
      }),
  };
}

/** A closed channel throws at whoever uses it; the session's end is told elsewhere. */
function tryOnChannel(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error;
  }
}

async function closeWithin(
  deadlineMs: number,
  connection: ChannelModel,
  socket: AbortController,
  close: () => Promise<void>,
): Promise<void> {
  const force = setTimeout(() => socket.abort(), deadlineMs);
  const gone = new Promise((resolve) => connection.once('close', resolve));
  // It throws where it is already closed, which is what is wanted.
  await Promise.race([close().catch(() => undefined), gone]);
  clearTimeout(force);
  // amqplib would wait for the server to hang up.
  socket.abort();
}

function noAnswer({ queue }: FrameQueueOptions): ConsumerError {
  const message = `rabbitmq did not answer for queue ${queue} within ${ANSWER_MS} ms; its node may be cut off from the others that hold it`;
  return new ConsumerError('rabbitmq-unreachable', message);
}

/** What consuming needs. */
const NEEDS = { queue: 'read' } as const;

function queueFault(error: unknown, { server, queue }: FrameQueueOptions): ConsumerError {
  if (error instanceof ConsumerError) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const fault = brokerFault(server.url, error instanceof Error ? error : new Error(textOf(error)), NEEDS);
  const text = server.redact(fault.message);
  if (code === 404) return new ConsumerError('queue-missing', `${text}; waiting for ${queue} to be declared`);
  return new ConsumerError(REFUSALS.has(fault.code) ? 'rabbitmq-refused' : 'rabbitmq-unreachable', text);
}

/** The broker was reached and said no. */
const REFUSALS = new Set(['broker-refused', 'broker-denied', 'broker-vhost']);
