/** Puts failed messages into the dead-letter queue with the reason in their headers. */
import { connectBroker } from '../connections/rabbitmq';
import { withDeadline } from '../clock/sleep';
import { deadLetterName } from '../contract/broker-names';
import { closeConnection } from './close-connection';
import type { ConsumerFault } from './fault';
import type { QueueMessage } from './queue-message';
import type { ServerUrl } from './server-url';

export const REASON_HEADER = 'x-vigil-reason';
export const CODE_HEADER = 'x-vigil-code';
const MAX_REASON_CHARS = 1000;
/** A broker that is short of memory or disk confirms nothing. */
const ANSWER_MS = 5000;

export type PutDeadLetter = (
  message: QueueMessage,
  fault: Pick<ConsumerFault, 'code' | 'message'>,
) => Promise<boolean>;

/**
 * True when the broker has confirmed the message. Otherwise the caller rejects it, and RabbitMQ moves it
 * without a reason. Never rejects. It uses a separate connection: a broker short of memory stops reading from
 * connections that publish.
 */
export async function putDeadLetter(
  server: () => ServerUrl,
  queue: string,
  { body, origin }: QueueMessage,
  { code, message: reason }: Pick<ConsumerFault, 'code' | 'message'>,
): Promise<boolean> {
  if (origin === undefined) return false;
  const socket = new AbortController();
  const put = async () => {
    const connection = await connectBroker(server().url, `vigil dead letters of ${queue}`, socket.signal);
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      let isReturned = false;
      channel.on('error', () => undefined);
      channel.on('return', () => (isReturned = true));
      await channel.checkExchange(deadLetterName(queue));
      const { routingKey, headers, ...properties } = origin;
      channel.publish(deadLetterName(queue), routingKey, body, {
        ...{ persistent: true, mandatory: true, ...properties },
        headers: { ...headers, [CODE_HEADER]: code, [REASON_HEADER]: reason.slice(0, MAX_REASON_CHARS) },
      });
      await channel.waitForConfirms();
      return !isReturned;
    } finally {
      await closeConnection(connection, socket, () => connection.close());
    }
  };
  const answer = await withDeadline(
    put().catch(() => false),
    ANSWER_MS,
  );
  socket.abort();
  return answer ?? false;
}
