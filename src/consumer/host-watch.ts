/**
 * Notices that a host of a cluster has become useless, before its heartbeat does (8 to 12 s), or at all: a host cut off from
 * the others keeps the connection, and delivers nothing. I/O is passed in.
 */
import { performance } from 'node:perf_hooks';
import { sleep, withDeadline } from '../clock/sleep';

const EVERY_MS = 2000;
/** A queue answers in milliseconds; where its leader does not, its host answers for it after a quarter of a second. */
const ANSWER_MS = 2500;
/** After this process was held up timers come before what has arrived meanwhile. */
const GRACE_MS = 500;
/** A queue whose leader has gone has another one by then, and continues to deliver. */
const IDLE_MS = 10_000;
/** Interval for asking another host while nothing comes: each query takes a connection. */
const ELSEWHERE_EVERY_MS = 30_000;
const ELSEWHERE_MS = 5000;

export interface WatchedHost {
  /** Messages that wait in the queue, as the host in use knows. */
  readonly waiting: () => Promise<number>;
  /** The same number according to another host. */
  readonly waitingElsewhere: () => Promise<number>;
  /** How long nothing has come that could have, milliseconds; 0 without a subscription. */
  readonly idleMs: () => number;
}

/** Resolves with what is wrong, as the end of a sentence; undefined when `signal` is aborted. Rejects when the host does. */
export async function troubleOfHost(host: WatchedHost, signal: AbortSignal): Promise<string | undefined> {
  let [lookedMs, suspicions] = [-Infinity, 0];
  for (;;) {
    await sleep(EVERY_MS, signal);
    if (signal.aborted) return undefined;
    const answer = host.waiting();
    const waiting = (await withDeadline(answer, ANSWER_MS)) ?? (await withDeadline(answer, GRACE_MS));
    if (waiting === undefined) return `has not answered for ${ANSWER_MS + GRACE_MS} ms`;
    const isIdle = waiting === 0 && host.idleMs() > IDLE_MS;
    if (!isIdle) suspicions = 0;
    if (!isIdle || (suspicions === 0 && performance.now() - lookedMs < ELSEWHERE_EVERY_MS)) continue;
    lookedMs = performance.now();
    // If the other host cannot be asked, nothing is known.
    const elsewhere = (await withDeadline(host.waitingElsewhere(), ELSEWHERE_MS).catch(() => 0)) ?? 0;
    suspicions = elsewhere > 0 ? suspicions + 1 : 0;
    // A frame may have come between the two questions.
    if (suspicions > 1 && host.idleMs() > IDLE_MS)
      return `delivers nothing, while ${elsewhere} messages wait as another host says; it is cut off from the others`;
  }
}
