/** What becomes of one delivery: check, retrieve, handle, remove. Decides and does not settle. */
import type { FrameSampled } from '../contract/message';
import { readAnnouncement } from './announcement';
import { ConsumerError, codeOf, textOf, type ConsumerFault } from './fault';
import type { Delivery, Settlement } from './frame-queue';
import type { FrameStore } from './frame-store';

/** A frame as a handler gets it. */
export interface ConsumedFrame {
  readonly event: FrameSampled;
  /** The encoded picture, in `event.data.format`. */
  readonly bytes: Buffer;
  /** True when the frame, or another attempt at it, may have been seen before. */
  readonly redelivered: boolean;
}

/**
 * Works on one frame. When it resolves, the frame is done with. What it throws decides what follows: an error with
 * `code: 'undecodable'` sends the message to the dead-letter queue, one with `code: 'requeue'` gives the frame back
 * without counting a failure, any other lets the frame come again until the queue's delivery limit.
 */
export type FrameHandler = (frame: ConsumedFrame) => Promise<void> | void;

/**
 * When the picture leaves Redis. `after`: once the handler is done (at least once). `getdel`: as it is retrieved (at
 * most once: a failed handler cannot be given the frame again). `keep`: when it expires, for several services.
 */
export type Removal = 'after' | 'getdel' | 'keep';

/** `fault` is what an operator is to know; `unavailable` is Redis failing, which is the session's end. */
export type Outcome =
  | {
      readonly kind: 'processed' | 'expired' | 'invalid' | 'rejected' | 'failed' | 'returned';
      readonly fault?: Omit<ConsumerFault, 'count'>;
    }
  | { readonly kind: 'unavailable'; readonly fault: ConsumerError };

/** What the broker is told about each outcome. */
export const SETTLEMENTS: Readonly<Record<Outcome['kind'], Settlement>> = {
  processed: 'ack',
  expired: 'ack',
  invalid: 'reject',
  rejected: 'reject',
  failed: 'requeue',
  returned: 'requeue',
  unavailable: 'requeue',
};

/** Never throws: whatever happens to a delivery is an outcome. */
export async function attempt(
  delivery: Delivery,
  store: FrameStore,
  removal: Removal,
  handler: FrameHandler,
): Promise<Outcome> {
  try {
    const event = readAnnouncement(delivery.body);
    const bytes = await store.retrieve(event.data.key, removal === 'getdel');
    if (bytes === null) return { kind: 'expired', fault: expiryOf(event) };
    const failure = await failureOf(handler, { event, bytes, redelivered: delivery.redelivered }, removal);
    if (failure !== undefined) return failure;
    return removal === 'after' ? await removeFrame(store, event) : { kind: 'processed' };
  } catch (error) {
    if (!(error instanceof ConsumerError)) throw error;
    if (error.code !== 'invalid-message') return { kind: 'unavailable', fault: error };
    return { kind: 'invalid', fault: { code: error.code, message: error.message } };
  }
}

function expiryOf({ data }: FrameSampled): Omit<ConsumerFault, 'count'> {
  const ageMs = Date.now() - data.capturedAt;
  return { code: 'expired', message: `frame ${data.key}: gone from Redis, captured ${String(ageMs)} ms ago` };
}

async function failureOf(
  handler: FrameHandler,
  frame: ConsumedFrame,
  removal: Removal,
): Promise<Outcome | undefined> {
  try {
    await handler(frame);
    return undefined;
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'requeue' && removal !== 'getdel') return { kind: 'returned' };
    const { key } = frame.event.data;
    if (code === 'undecodable')
      return { kind: 'rejected', fault: { code, message: `frame ${key}: ${textOf(cause)}`, cause } };
    return {
      // GETDEL has taken the picture: another delivery could only find it missing.
      kind: removal === 'getdel' ? 'rejected' : 'failed',
      fault: { code: 'handler-failed', message: `frame ${key}: its handler failed: ${textOf(cause)}`, cause },
    };
  }
}

/** The work is done: a picture that stays behind expires by itself, and must not bring the frame back. */
async function removeFrame(store: FrameStore, { data }: FrameSampled): Promise<Outcome> {
  try {
    await store.remove(data.key);
    return { kind: 'processed' };
  } catch (error) {
    const message = `frame ${data.key}: left to expire in Redis: ${textOf(error)}`;
    return { kind: 'processed', fault: { code: 'not-removed', message } };
  }
}
