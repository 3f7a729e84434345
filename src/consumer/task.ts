/** One delivery of a frame, on its way through a consumer. */
import type { FrameSampled } from '../contract/message';
import type { Work } from './attempt';
import type { ConsumerError } from './fault';
import type { QueueMessage } from './queue-message';
import type { Subscription } from './subscription';
import type { Candidate } from './turns';

/** One connection to RabbitMQ, and the deliveries that came over it. */
export interface Session {
  readonly signal: AbortSignal;
  readonly subscription: Subscription;
  end(fault: ConsumerError): void;
}

export interface Task extends Work, Candidate {
  readonly message: QueueMessage;
  readonly session: Session;
}

/** @param isKnown this process has had the frame before, and still runs */
export function taskOf(message: QueueMessage, event: FrameSampled, session: Session, isKnown: boolean): Task {
  const { key, camera, capturedAt, delayed } = event.data;
  const { redelivered, traceparent } = message;
  return {
    ...{ key, camera, capturedAt, event, redelivered, traceparent, message, session },
    isSuspect: redelivered && !isKnown,
    isLate: redelivered || delayed,
  };
}
