/** How connections and channels to RabbitMQ end, as promises. */
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { aborted } from '../../clock/sleep';

/** Settles when the connection is over: resolves on `signal`, rejects with the cause otherwise. */
export async function endOfConnection(
  connection: ChannelModel,
  signal: AbortSignal,
  over: AbortSignal,
): Promise<undefined> {
  const ended = new Promise<undefined>((resolve, reject) => {
    connection.on('error', reject);
    connection.on('close', (error?: Error) => reject(error ?? new Error('the connection was closed')));
    void aborted(signal, over).then(resolve);
  });
  // It may end before anything awaits it.
  ended.catch(() => undefined);
  return ended;
}

/** Rejects with the cause when the channel is over. */
export async function endOfChannel(channel: ConfirmChannel): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    channel.on('error', reject);
    // A connection that closes closes its channels first, and says why afterwards.
    channel.on('close', () => {
      setImmediate(reject, new Error('the channel was closed'));
    });
  });
  ended.catch(() => undefined);
  return ended;
}
