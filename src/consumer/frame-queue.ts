/** One RabbitMQ connection and channel for one session of a consumer. It never reconnects: the loop opens another. */
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { connectBroker, leaveHost } from '../connections/rabbitmq';
import { brokerFault } from '../connections/rabbitmq-fault';
import { withDeadline } from '../clock/sleep';
import { hostsOf } from '../url/url';
import { closeConnection } from './close-connection';
import { ConsumerError, textOf } from './fault';
import { queueMessage, tryOnChannel, type QueueMessage } from './queue-message';
import type { ServerUrl } from './server-url';
import { faultOfHost } from './watch-queue-host';

/** A queue answers in milliseconds, or never, if its node is cut off from the others. */
const ANSWER_MS = 10_000;

export interface FrameQueue {
  /**
   * Allows up to `prefetch` unsettled deliveries from now on, not counting those of earlier subscriptions;
   * none if 0. Deliveries already on their way may still arrive. Calls must not overlap. Throws a {@link
   * ConsumerError}, `queue-missing` if there is no such queue.
   */
  subscribe(prefetch: number): Promise<void>;
  /** Ends deliveries for good, before anything else is settled. */
  stop(): void;
  /** Resolves when the connection has gone, by force after two seconds; never throws. */
  close(): Promise<void>;
}

export interface FrameQueueOptions {
  readonly server: ServerUrl;
  readonly queue: string;
  readonly onDelivery: (message: QueueMessage) => void;
  /** Called once when an opened connection, its channel or its subscription ends without `close`. */
  readonly onLost: (error: ConsumerError) => void;
}

/** Connects; `signal` aborts that. Throws a {@link ConsumerError} `rabbitmq-...`. */
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
  // Without a listener an error event ends the process; the close event that follows ends the session.
  let cause: unknown;
  const remember = (error: unknown) => (cause ??= error);
  connection.on('error', remember);
  try {
    const channel = await connection.createChannel();
    channel.on('error', remember);
    return frameQueue(connection, channel, options, socket, () => cause);
  } catch (error) {
    leaveHost(connection);
    await closeConnection(connection, socket, () => connection.close());
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
  /** When a delivery last arrived; undefined without a subscription. */
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
    void faultOfHost(connection, options, idleMs, watched.signal).then((fault) => {
      if (fault !== undefined) lose(fault);
    });
  return {
    subscribe: async (prefetch) => {
      const receive = (message: ConsumeMessage | null) => {
        if (message === null)
          lose(Object.assign(new Error(`NOT_FOUND - no queue '${options.queue}'`), { code: 404 }));
        else {
          idleSinceMs = performance.now();
          options.onDelivery(queueMessage(channel, message));
        }
      };
      const change = async () => {
        if (consumerTag !== undefined) await channel.cancel(consumerTag);
        consumerTag = undefined;
        idleSinceMs = undefined;
        if (prefetch === 0 || stopped) return true;
        // RabbitMQ applies it to consumers that begin afterwards; quorum queues refuse a limit for a whole channel.
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
      await closeConnection(connection, socket, async () => {
        // Acknowledgements wait in the channel's buffer; closing the connection first would overtake them.
        await channel.close().catch(() => undefined);
        await connection.close();
      });
    },
  };
}

function noAnswer({ queue }: FrameQueueOptions): ConsumerError {
  const message = `rabbitmq did not answer for queue ${queue} within ${ANSWER_MS} ms; its node may be cut off from the others that hold it`;
  return new ConsumerError('rabbitmq-unreachable', message);
}

/** The permissions that consuming needs. */
const NEEDS = { queue: 'read' } as const;

function queueFault(error: unknown, { server, queue }: FrameQueueOptions): ConsumerError {
  if (error instanceof ConsumerError) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const fault = brokerFault(server.url, error instanceof Error ? error : new Error(textOf(error)), NEEDS);
  const text = server.redact(fault.message);
  if (code === 404) return new ConsumerError('queue-missing', `${text}; waiting for ${queue} to be declared`);
  return new ConsumerError(REFUSALS.has(fault.code) ? 'rabbitmq-refused' : 'rabbitmq-unreachable', text);
}

/** Faults of a broker that was reached and refused. */
const REFUSALS = new Set(['broker-refused', 'broker-denied', 'broker-vhost']);
