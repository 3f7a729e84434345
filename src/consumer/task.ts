/** One delivery of a frame, on its way through a consumer. */
import { performance } from 'node:perf_hooks';
import type { FrameSampled } from '../contract/message';
import { shareOf } from '../contract/sharing';
import type { Removal, Work } from './attempt';
import type { ConsumerError } from './fault';
import type { QueueMessage } from './queue-message';
import type { Subscription } from './subscription';
import { traceContext } from './trace-context';
import type { Candidate } from './turns';

/** One connection to RabbitMQ, and the deliveries that came over it. */
export interface Session {
  readonly signal: AbortSignal;
  readonly subscription: Subscription;
  end(fault: ConsumerError): void;
}

export interface Task extends Work, Candidate {
  /** According to the message, or the consumer's option if the message leaves it open. */
  readonly removal: Removal;
  readonly message: QueueMessage;
  readonly session: Session;
  /** When it arrived, and when work on it last began; by performance.now(). */
  readonly deliveredMs: number;
  startedMs?: number;
}

/**
 * @param consumer the queue it came from, and the consumer's option
 * @param isKnown whether this process has had the frame before, and survived it
 */
export function taskOf(
  message: QueueMessage,
  event: FrameSampled,
  session: Session,
  { queue = '', removal: option }: { readonly queue?: string; readonly removal: Removal },
  isKnown: boolean,
): Task {
  const { key, camera, capturedAt, delayed, recipients } = event.data;
  const configured = recipients !== undefined && Object.hasOwn(recipients, queue) ? recipients[queue] : 'any';
  const { redelivered } = message;
  return {
    removal: configured === undefined || configured === 'any' ? option : configured,
    share: shareOf(recipients, queue),
    ...{ key, camera, capturedAt, event, redelivered, message, session },
    trace: traceContext(message.origin?.headers ?? {}, event),
    deliveredMs: performance.now(),
    isSuspect: redelivered && !isKnown,
    isLate: redelivered || delayed,
  };
}
