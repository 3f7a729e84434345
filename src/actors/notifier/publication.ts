/** A message on its way to the broker. */
import type { Options } from 'amqplib';
import { CLOUDEVENTS_JSON } from '../../contract/events';
import type { VigilEvent } from '../../contract/message';

export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  /** Further routing keys, which consumers do not see. */
  readonly others?: readonly string[];
  readonly event: VigilEvent;
  /** Lifetime of the message from now on, of frames; none for events that do not age. */
  readonly lifeMs?: number;
  /** Of the message's trace, where there is one. */
  readonly traceparent?: string;
  /** Whether a message that reaches no queue is a failure. */
  readonly mandatory: boolean;
}

/** @param waitedMs of its life, what has passed before it is sent */
export function publishOptions(
  { event, others = [], lifeMs, traceparent, mandatory }: Publication,
  waitedMs: number,
): Options.Publish {
  return {
    mandatory,
    persistent: true,
    ...(others.length === 0 ? {} : { BCC: [...others] }),
    contentType: CLOUDEVENTS_JSON,
    messageId: event.id,
    type: event.type,
    timestamp: Math.floor(Date.parse(event.time) / 1000),
    ...(traceparent === undefined ? {} : { headers: { traceparent } }),
    ...(lifeMs === undefined ? {} : { expiration: String(Math.max(1, Math.floor(lifeMs - waitedMs))) }),
  };
}
