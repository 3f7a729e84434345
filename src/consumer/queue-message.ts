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
  /** Context of the frame's trace, as W3C Trace Context writes it; undefined where there is none. */
  readonly traceparent?: string | undefined;
  /** Settles the message at the broker. Without effect on a closed channel: the broker has requeued it. */
  settle(how: Settlement): void;
}

/** Of any version: https://www.w3.org/TR/trace-context/#traceparent-header. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[^\s]{1,200})?$/;

/** What amqplib hands over. */
export function queueMessage(channel: Channel, message: ConsumeMessage): QueueMessage {
  const { headers } = message.properties;
  const count: unknown = headers?.['x-delivery-count'];
  const traceparent: unknown = headers?.['traceparent'];
  // amqplib's types have no type for what it decodes as text.
  const lifeMs = Number(message.properties.expiration as unknown);
  return {
    body: message.content,
    redelivered: message.fields.redelivered,
    deliveryCount: typeof count === 'number' ? count : undefined,
    lifeMs: lifeMs > 0 ? lifeMs : undefined,
    traceparent: typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined,
    settle: (how) =>
      tryOnChannel(() => {
        if (how === 'ack') channel.ack(message);
        else channel.nack(message, false, how === 'requeue');
      }),
  };
}

/** A closed channel throws at whoever uses it; the end of the session is reported elsewhere. */
export function tryOnChannel(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error;
  }
}
