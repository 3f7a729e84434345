/** Declares what the contract promises on RabbitMQ, where it is absent. */
import type { Channel, ChannelModel } from 'amqplib';
import type { QueueSpec } from '../../config/topology';
import { deadLetterName, frameExchange, routingKey } from '../../contract/topology';

/** Dead messages kept for a person to look at; the oldest go first. */
const MAX_DEAD_LETTERS = 10_000;
const DEAD_LETTER_TTL_MS = 24 * 3600 * 1000;

/**
 * Exchange, detection queue with its dead-letter queue, and the binding between them.
 * @returns a sentence when the queue exists with other settings than the configuration's and is used as it is
 */
export async function declareTopology(
  connection: ChannelModel,
  namespace: string,
  queue: QueueSpec,
): Promise<string | undefined> {
  return onOwnChannel(connection, async (channel) => {
    await channel.assertExchange(frameExchange(namespace), 'topic', { durable: true });
    await declareDeadLetters(connection, queue.name);
    const conflict = await declareQueue(connection, queue);
    await channel.bindQueue(queue.name, frameExchange(namespace), routingKey('*', 'frame'));
    return conflict;
  });
}

async function declareDeadLetters(connection: ChannelModel, queue: string): Promise<void> {
  const dead = deadLetterName(queue);
  await onOwnChannel(connection, async (channel) => {
    await channel.assertExchange(dead, 'fanout', { durable: true });
    await channel.assertQueue(dead, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-max-length': MAX_DEAD_LETTERS,
        'x-overflow': 'drop-head',
        'x-message-ttl': DEAD_LETTER_TTL_MS,
      },
    });
    await channel.bindQueue(dead, dead, '');
  });
}

async function declareQueue(connection: ChannelModel, queue: QueueSpec): Promise<string | undefined> {
  try {
    await onOwnChannel(connection, (channel) =>
      channel.assertQueue(queue.name, {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-max-length': queue.maxLength,
          'x-overflow': queue.overflow,
          'x-delivery-limit': queue.deliveryLimit,
          'x-dead-letter-exchange': deadLetterName(queue.name),
        },
      }),
    );
    return undefined;
  } catch (error) {
    if ((error as { code?: unknown }).code !== PRECONDITION_FAILED) throw error;
    return `queue ${queue.name} exists with other settings than the configuration's and is used as it is; delete it to have it declared anew`;
  }
}

/** AMQP 0-9-1 reply code of a declaration that contradicts what exists. */
const PRECONDITION_FAILED = 406;

/** A refused declaration closes its channel, so each has its own. */
async function onOwnChannel<T>(connection: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  // The refusal also rejects the declaration, which is where it is handled.
  channel.on('error', () => undefined);
  const result = await work(channel);
  await channel.close();
  return result;
}
