/** The processing of one frame: retrieve, handle, remove. Determines the outcome, but does not settle the message. */
import type { FrameSampled } from '../contract/message';
import type { Share } from '../contract/sharing';
import { ConsumerError, codeOf, textOf, type ConsumerFault } from './fault';
import type { Settlement } from './queue-message';
import type { FrameStore } from './frame-store';
import type { TraceContext } from './trace-context';
import { troubleOf, type Trouble } from './trouble';

/** A frame as a handler receives it. */
export interface ConsumedFrame {
  readonly event: FrameSampled;
  /** The encoded picture, in `event.data.format`. */
  readonly bytes: Buffer;
  /** True when the frame, or another attempt at it, may have been seen before. */
  readonly redelivered: boolean;
  /** W3C trace context of the message, to be passed on; empty if there is none. */
  readonly trace: TraceContext;
}

/**
 * Handles one frame. When it resolves, the frame is finished. What it throws decides what follows. An error
 * with `code: 'undecodable'` sends the message to the dead-letter queue; one with `code: 'requeue'` returns
 * the frame to the queue without counting a failure. An error caused by this machine or a server, not by the
 * frame, pauses consuming until the same frame succeeds: any with a system's code (`ENOSPC`, `EMFILE`,
 * `ECONNREFUSED`, ...), a refusal by Redis, `no-ffmpeg` of {@link decodeFrame}, or `code: 'pause'`. After any
 * other error the frame is redelivered, up to the queue's delivery limit.
 */
export type FrameHandler = (frame: ConsumedFrame) => Promise<void> | void;

/**
 * When the picture leaves Redis. `after`: once the handler is done (at least once). `getdel`: as it is retrieved (at
 * most once: a failed handler cannot be given the frame again). `keep`: when it expires, for several services.
 */
export type Removal = 'after' | 'getdel' | 'keep';

/** The frame to be handled. */
export interface Work {
  readonly event: FrameSampled;
  readonly redelivered: boolean;
  readonly trace: TraceContext;
  /** Set if other services must have the frame too. */
  readonly share?: Share | undefined;
  /** The picture taken by GETDEL: no other consumer has it. */
  taken?: Buffer;
}

type Fault = Omit<ConsumerFault, 'count'>;

/**
 * `fault` is the report for an operator. `unavailable`: Redis could not be reached. `troubled`: the consumer's own
 * trouble, unrelated to the frame.
 */
export type Outcome =
  | {
      readonly kind: 'processed' | 'expired' | 'invalid' | 'rejected' | 'failed' | 'returned';
      readonly fault?: Fault;
    }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'troubled'; readonly fault: Fault; readonly trouble: string };

export type Final = Outcome & { readonly kind: FinalKind };
export type FinalKind = Exclude<Outcome['kind'], 'unavailable' | 'troubled'>;

/** How each outcome is settled at the broker. */
const SETTLEMENTS: Readonly<Record<FinalKind, Settlement>> = {
  processed: 'ack',
  expired: 'ack',
  invalid: 'reject',
  rejected: 'reject',
  failed: 'requeue',
  returned: 'requeue',
};

/** A frame that fails at its last delivery is rejected with its reason, before the broker dead-letters it without one. */
export function settlementOf(kind: FinalKind, deliveryCount = 0, deliveryLimit = Infinity): Settlement {
  return kind === 'failed' && deliveryCount >= deliveryLimit ? 'reject' : SETTLEMENTS[kind];
}

/** Never throws: whatever happens to a frame is an outcome. */
export async function attempt(
  work: Work,
  store: FrameStore,
  removal: Removal,
  handler: FrameHandler,
): Promise<Outcome> {
  const { event, redelivered, trace, share } = work;
  try {
    // Whether the service has already handled the frame matters only if it had it before.
    const part = redelivered || removal === 'getdel' ? share : undefined;
    const bytes = work.taken ?? (await store.retrieve(event.data.key, removal === 'getdel', part));
    if (bytes === null) return { kind: 'expired', fault: expiryOf(event) };
    if (removal === 'getdel') work.taken = bytes;
    const failure = await failureOf(handler, { event, bytes, redelivered, trace }, removal);
    if (failure !== undefined) return failure;
    return removal === 'after' ? await removeFrame(store, event, share) : { kind: 'processed' };
  } catch (error) {
    if (!(error instanceof ConsumerError)) throw error;
    const { code, message } = error;
    if (code === 'redis-unreachable') return { kind: 'unavailable' };
    if (code === 'redis-refused') return { kind: 'troubled', fault: { code, message }, trouble: message };
    return { kind: 'invalid', fault: { code, message } };
  }
}

function expiryOf({ data }: FrameSampled): Fault {
  const ageMs = Date.now() - data.capturedAt;
  return {
    code: 'expired',
    message: `frame ${data.key}: gone from Redis (taken by another consumer, or expired), captured ${ageMs} ms ago`,
  };
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
    const trouble = troubleOf(cause);
    if (trouble !== undefined) return pausing(trouble, cause);
    return handlerFailed(frame.event, removal, cause);
  }
}

function pausing({ code, kind, text }: Trouble, cause: unknown): Outcome {
  const message = `consuming pauses: ${text}; frames wait, and none is given up for it`;
  return { kind: 'troubled', fault: { code, message, cause }, trouble: kind };
}

export function handlerFailed(
  { data }: FrameSampled,
  removal: Removal,
  cause: unknown,
): Outcome & { kind: FinalKind } {
  return {
    // GETDEL has taken the picture: another delivery could only find it missing.
    kind: removal === 'getdel' ? 'rejected' : 'failed',
    fault: {
      code: 'handler-failed',
      message: `frame ${data.key}: its handler failed: ${textOf(cause)}`,
      cause,
    },
  };
}

/** The work is done: a picture that stays behind expires, and must not bring the frame back. */
async function removeFrame(
  store: FrameStore,
  { data }: FrameSampled,
  share: Share | undefined,
): Promise<Outcome> {
  try {
    await store.remove(data.key, share);
    return { kind: 'processed' };
  } catch (error) {
    const message = `frame ${data.key}: left to expire in Redis: ${textOf(error)}`;
    return { kind: 'processed', fault: { code: 'not-removed', message } };
  }
}
