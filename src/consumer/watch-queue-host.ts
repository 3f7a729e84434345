/** Watches the host of the broker that a queue is consumed from; `host-watch.ts` contains the decisions. */
import type { ChannelModel } from 'amqplib';
import { connectBroker } from '../connections/rabbitmq';
import { closeConnection } from './close-connection';
import { ConsumerError } from './fault';
import { troubleOfHost } from './host-watch';
import type { ServerUrl } from './server-url';

interface WatchedQueue {
  readonly server: ServerUrl;
  readonly queue: string;
}

/**
 * Resolves with the fault when the host is useless; undefined if that is unknown, or `signal` is aborted.
 * @param idleMs see {@link troubleOfHost}
 */
export async function faultOfHost(
  connection: ChannelModel,
  { server, queue }: WatchedQueue,
  idleMs: () => number,
  signal: AbortSignal,
): Promise<ConsumerError | undefined> {
  const waitingElsewhere = async () => {
    const socket = new AbortController();
    const name = `vigil consumer of ${queue} looks`;
    const other = await connectBroker(server.url, name, AbortSignal.any([socket.signal, signal]), connection);
    other.on('error', () => undefined);
    return messagesIn(queue, other).finally(() => closeConnection(other, socket, () => other.close()));
  };
  const waiting = () => messagesIn(queue, connection);
  try {
    const trouble = await troubleOfHost({ waiting, waitingElsewhere, idleMs }, signal);
    if (trouble === undefined) return undefined;
    return new ConsumerError('rabbitmq-unreachable', `the host of rabbitmq in use ${trouble}`);
  } catch {
    // The connection is over, or the queue is gone: both are reported elsewhere.
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
