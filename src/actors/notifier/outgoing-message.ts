/** A message on its way to the broker. */
import type { Options } from 'amqplib';
import { CLOUDEVENTS_JSON } from '../../contract/events';
import type { VigilEvent } from '../../contract/message';
import { celeryBody, celeryHeaders } from './celery-task';

export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  /** Further routing keys, which consumers do not see. */
  readonly others?: readonly string[];
  /** Name of the Celery task that the message is; absent: it is the event itself. */
  readonly task?: string;
  readonly event: VigilEvent;
  /** Lifetime of a frame's message from now on; absent for events that do not expire. */
  readonly lifeMs?: number;
  /** The `traceparent` header, if the frame is traced. */
  readonly traceparent?: string;
  /** Whether a message that reaches no queue is a failure. */
  readonly mandatory: boolean;
}

/** Id of the message: the event's id, unless the event is also sent in another form. */
export function messageId({ event, task }: Pick<OutgoingMessage, 'event' | 'task'>): string {
  return task === undefined ? event.id : `${event.id}#${task}`;
}

export function messageBody({ event, task }: OutgoingMessage): Buffer {
  return Buffer.from(JSON.stringify(task === undefined ? event : celeryBody(event)));
}

/** @param waitedMs part of the message's lifetime that has passed before it is sent */
export function publishOptions(publication: OutgoingMessage, waitedMs: number): Options.Publish {
  const { event, others = [], lifeMs, task, traceparent, mandatory } = publication;
  const headers = {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(task === undefined ? {} : celeryHeaders(event, task)),
  };
  return {
    mandatory,
    persistent: true,
    ...(others.length === 0 ? {} : { BCC: [...others] }),
    ...(task === undefined
      ? { contentType: CLOUDEVENTS_JSON }
      : { contentType: 'application/json', contentEncoding: 'utf-8', correlationId: event.id }),
    messageId: messageId(publication),
    type: event.type,
    timestamp: Math.floor(Date.parse(event.time) / 1000),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(lifeMs === undefined ? {} : { expiration: String(Math.max(1, Math.floor(lifeMs - waitedMs))) }),
  };
}
