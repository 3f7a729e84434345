/** A message of the queue as the consumer sees it, and how it is settled. */
import { IllegalOperationError, type Channel, type ConsumeMessage } from 'amqplib';

/** `reject` sends the message to the dead-letter queue. */
export type Settlement = 'ack' | 'requeue' | 'reject';

export interface QueueMessage {
  readonly body: Buffer;
  readonly redelivered: boolean;
  /** Deliveries before this one; only quorum queues count them. */
  readonly deliveryCount?: number | undefined;
  /** How long the message may wait in the queue, milliseconds; undefined when unknown. */
  readonly lifeMs?: number | undefined;
  /** The properties it was published with, to be passed on. */
  readonly origin?: MessageOrigin;
  /** Settles the message at the broker. Has no effect on a closed channel: the broker has requeued the message. */
  settle(how: Settlement): void;
}

export interface MessageOrigin {
  readonly routingKey: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType?: string;
  readonly messageId?: string;
}

/** What amqplib hands over. */
export function queueMessage(channel: Channel, message: ConsumeMessage): QueueMessage {
  const { headers = {} } = message.properties;
  const count: unknown = headers['x-delivery-count'];
  // amqplib decodes it as text, which its types do not say.
  const lifeMs = Number(message.properties.expiration as unknown);
  return {
    body: message.content,
    redelivered: message.fields.redelivered,
    deliveryCount: typeof count === 'number' ? count : undefined,
    lifeMs: lifeMs > 0 ? lifeMs : undefined,
    origin: originOf(message),
    settle: (how) =>
      tryOnChannel(() => {
        if (how === 'ack') channel.ack(message);
        else channel.nack(message, false, how === 'requeue');
      }),
  };
}

function originOf({ fields, properties }: ConsumeMessage): MessageOrigin {
  const { headers = {} } = properties;
  const [contentType, messageId] = [properties.contentType, properties.messageId] as unknown[];
  return {
    ...{ routingKey: fields.routingKey, headers },
    ...(typeof contentType === 'string' ? { contentType } : {}),
    ...(typeof messageId === 'string' ? { messageId } : {}),
  };
}

/** Ignores the error of a closed channel; the end of the session is reported elsewhere. */
export function tryOnChannel(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error;
  }
}
