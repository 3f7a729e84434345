/**
 * Notices that a host of a cluster has become useless, sooner than the heartbeat does (8 to 12 s), if it does
 * at all: a host cut off from the others keeps the connection, but delivers nothing. I/O is passed in.
 */
import { performance } from 'node:perf_hooks';
import { sleep, withDeadline } from '../clock/sleep';

const EVERY_MS = 2000;
/** A queue answers in milliseconds; if its leader does not, its host answers for it after a quarter of a second. */
const ANSWER_MS = 2500;
/** After this process was blocked, timers run before the data that arrived meanwhile is read. */
const GRACE_MS = 500;
/** Milliseconds after which a queue whose leader has gone has a new one, and delivers again. */
const IDLE_MS = 10_000;
/** Interval for asking another host while nothing arrives: each query needs a connection. */
const ELSEWHERE_EVERY_MS = 30_000;
const ELSEWHERE_MS = 5000;

export interface WatchedHost {
  /** Number of messages waiting in the queue, according to the host in use. */
  readonly waiting: () => Promise<number>;
  /** The same number according to another host. */
  readonly waitingElsewhere: () => Promise<number>;
  /** How long nothing has been delivered during a subscription, milliseconds; 0 without one. */
  readonly idleMs: () => number;
}

/** Resolves with what is wrong, as the end of a sentence; undefined when `signal` is aborted. Rejects if the host does. */
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
    // If the other host does not answer, the comparison shows nothing.
    const elsewhere = (await withDeadline(host.waitingElsewhere(), ELSEWHERE_MS).catch(() => 0)) ?? 0;
    suspicions = elsewhere > 0 ? suspicions + 1 : 0;
    // A frame may have arrived between the two queries.
    if (suspicions > 1 && host.idleMs() > IDLE_MS)
      return `delivers nothing, while ${elsewhere} messages wait as another host says; it is cut off from the others`;
  }
}
