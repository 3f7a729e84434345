/**
 * Messages waiting for the broker's confirm, and messages waiting to be sent: limits how many are sent at once, and ensures that
 * none is sent twice while its outcome is unknown. No I/O: times are passed in.
 */
import type { FaultRecord } from '../../fault/fault';
import { messageId, type OutgoingMessage } from './outgoing-message';

/**
 * A broker on the same machine needs fewer (measured: 19,000 confirms a second at 100), a distant one more. What the
 * store has in flight has a limit of its own.
 */
const MAX_UNCONFIRMED = 256;
/**
 * A broker that has confirmed within this time is sent a full window, any other one message at a time:
 * messages to a frozen broker are delivered twice, by it when it resumes and by its successor on the next
 * connection.
 */
const PROVEN_MS = 250;
/** Confirmed frames that are remembered: a store that died before it recorded a confirm asks again. */
const MAX_REMEMBERED = 4096;

export type Settle = (fault?: FaultRecord) => void;

export interface Outgoing {
  readonly publication: OutgoingMessage;
  readonly queuedMs: number;
}

interface Pending extends Outgoing {
  readonly answer: Promise<FaultRecord | undefined>;
  readonly settle: Settle;
  sentMs?: number;
}

export class ConfirmWindow {
  /** By message id, in the order they came; those that were sent have a `sentMs`. */
  readonly #pending = new Map<string, Pending>();
  readonly #waiting: Pending[] = [];
  readonly #confirmed = new Set<string>();
  #provenMs = -Infinity;
  /** How long the last confirm took: the next one cannot be there before. */
  #confirmMs: number | undefined;
  #unconfirmed = 0;
  #settled = 0;

  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  get settled(): number {
    return this.#settled;
  }

  /** How long the last confirm took; undefined before the first. */
  get confirmMs(): number | undefined {
    return this.#confirmMs;
  }

  /** The answer for a message that was offered before, if there is or will be one. */
  known(id: string): Promise<FaultRecord | undefined> | undefined {
    if (this.#confirmed.has(id)) return Promise.resolve(undefined);
    return this.#pending.get(id)?.answer;
  }

  /** Queues a message; resolves when it is confirmed, with the fault when it is not. Never rejects. */
  offer(publication: OutgoingMessage, nowMs: number): Promise<FaultRecord | undefined> {
    let settle: Settle = () => undefined;
    const answer = new Promise<FaultRecord | undefined>((resolve) => {
      settle = resolve;
    });
    const pending = { publication, queuedMs: nowMs, answer, settle };
    this.#pending.set(messageId(publication), pending);
    this.#waiting.push(pending);
    return answer;
  }

  /** The next to be sent now; undefined when there is none or the window is full. */
  next(nowMs: number): Outgoing | undefined {
    const limit = nowMs - this.#provenMs < PROVEN_MS + (this.#confirmMs ?? 0) ? MAX_UNCONFIRMED : 1;
    const pending = this.#unconfirmed < limit ? this.#waiting.shift() : undefined;
    if (pending === undefined) return undefined;
    pending.sentMs = nowMs;
    this.#unconfirmed++;
    return pending;
  }

  confirm(outgoing: Outgoing, nowMs: number): void {
    this.#provenMs = nowMs;
    this.#confirmMs = nowMs - (this.#pending.get(messageId(outgoing.publication))?.sentMs ?? nowMs);
    if (outgoing.publication.lifeMs !== undefined) this.#remember(messageId(outgoing.publication));
    this.refuse(outgoing, undefined);
  }

  /** The broker, or this side, refused the message. One that was settled before, or belongs to another publisher by now, is ignored. */
  refuse(outgoing: Outgoing, fault: FaultRecord | undefined): void {
    const id = messageId(outgoing.publication);
    const pending = this.#pending.get(id);
    if (pending === undefined || pending !== outgoing) return;
    this.#pending.delete(id);
    this.#unconfirmed--;
    this.#settled++;
    pending.settle(fault);
  }

  /** Nothing more can be sent: what was not sent yet fails, the rest may still be confirmed. */
  failWaiting(fault: FaultRecord): void {
    for (const { publication, settle } of this.#waiting.splice(0)) {
      this.#pending.delete(messageId(publication));
      this.#settled++;
      settle(fault);
    }
  }

  /** The connection was lost, and with it every pending confirm. */
  failAll(fault: FaultRecord): void {
    this.failWaiting(fault);
    for (const pending of [...this.#pending.values()]) this.refuse(pending, fault);
    this.#provenMs = -Infinity;
  }

  /** How long the oldest confirm has been pending. */
  owedMs(nowMs: number): number {
    for (const { sentMs } of this.#pending.values()) if (sentMs !== undefined) return nowMs - sentMs;
    return 0;
  }

  #remember(id: string): void {
    this.#confirmed.add(id);
    if (this.#confirmed.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#confirmed) {
      this.#confirmed.delete(oldest);
      return;
    }
  }
}
