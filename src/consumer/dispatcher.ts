/** Gives frames to the handler, as their turns come, and settles their messages. */
import { sleep, unlessAborted } from '../clock/sleep';
import { readAnnouncement } from './announcement';
import {
  attempt,
  handlerFailed,
  SETTLEMENTS,
  type FinalKind,
  type FrameHandler,
  type Outcome,
} from './attempt';
import { ConsumerError, type ConsumerFault } from './fault';
import type { FaultReporter } from './fault-reporter';
import type { QueueMessage } from './queue-message';
import type { FrameStore } from './frame-store';
import { Lag } from './lag';
import type { Settings } from './options';
import { Overtaken } from './overtaken';
import { redeliverDelayMs } from './redelivery';
import { SeenFrames } from './seen-frames';
import type { Intake } from './subscription';
import { taskOf, type Session, type Task } from './task';
import { Turns } from './turns';

/** Deliveries by outcome. A failed frame that comes again and succeeds counts in both. */
export interface ConsumerCounters {
  readonly processed: number;
  /** Announced, and no longer in Redis. */
  readonly expired: number;
  /** No frame announcements. */
  readonly invalid: number;
  /** The handler threw. */
  readonly failed: number;
  /** Of `latestOnly`: passed over for a newer frame of the same camera. */
  readonly overtaken?: number;
}

export interface DispatcherOptions {
  readonly settings: Pick<Settings, 'prefetch' | 'removal' | 'latestOnly'>;
  readonly handler: FrameHandler;
  readonly faults: FaultReporter;
  /** Undefined while Redis is away. */
  readonly store: () => FrameStore | undefined;
  /** The consumer's own trouble, which is the same as an earlier one of that `kind`. */
  readonly onTrouble: (fault: Omit<ConsumerFault, 'count'>, kind: string) => void;
  /** A frame is done with: both servers are of use. */
  readonly onFinished: () => void;
  /** What the broker should send may have changed. */
  readonly onChange: () => void;
}

/**
 * A connection to Redis whose end has come refuses commands at once, and reports its end only when the event loop turns:
 * what is tried again without a wait keeps it from turning.
 */
const RETRY_MS = 100;

type Final = Outcome & { readonly kind: FinalKind };

export class Dispatcher {
  readonly #counts = { processed: 0, expired: 0, invalid: 0, failed: 0 };
  readonly #turns: Turns<Task>;
  readonly #seen = new SeenFrames();
  readonly #lag = new Lag();
  readonly #overtaken: Overtaken;
  readonly #atWork = new Set<Promise<void>>();
  /** The connection to Redis that was last of no use, and until when it is left alone. */
  #unusable: { readonly store: FrameStore; readonly untilMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly options: DispatcherOptions) {
    const { prefetch, latestOnly, removal } = options.settings;
    this.#turns = new Turns(prefetch, latestOnly);
    this.#overtaken = new Overtaken(removal);
  }

  get counters(): ConsumerCounters {
    const { latestOnly } = this.options.settings;
    return { ...this.#counts, ...(latestOnly ? { overtaken: this.#overtaken.count } : {}) };
  }

  get intake(): Intake {
    const { isPaused, hasSuspects, size } = this.#turns;
    const isClosed = this.#isStopped || this.options.store() === undefined;
    return { isClosed, isPaused, hasSuspects, atHand: size };
  }

  accept(message: QueueMessage, session: Session): void {
    if (session.signal.aborted) {
      message.settle('requeue');
      return;
    }
    const task = this.#read(message, session);
    if (task === undefined) return;
    session.subscription.delivered(task.isSuspect);
    this.#overtaken.settle(this.#turns.add(task), this.options.store());
    this.options.onChange();
  }

  /** Begins what may begin. */
  pump(): void {
    clearTimeout(this.#timer);
    const store = this.options.store();
    if (store === undefined || this.#isStopped) return;
    // Read once: a time that comes between two readings would be too late for a turn and too early for a timer.
    const nowMs = performance.now();
    const restMs = this.#restMs(store, nowMs);
    while (restMs === undefined) {
      const task = this.#turns.next(nowMs);
      if (task === undefined) break;
      const work = this.#work(task, store).finally(() => this.#atWork.delete(work));
      this.#atWork.add(work);
    }
    const dueMs = restMs ?? this.#turns.dueMs(nowMs);
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => this.pump(), dueMs);
  }

  #restMs(store: FrameStore, nowMs: number): number | undefined {
    if (this.#unusable?.store !== store) return undefined;
    const restMs = this.#unusable.untilMs - nowMs;
    return restMs > 0 ? restMs : undefined;
  }

  /** Begins nothing any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** The connection that brought them has gone: frames that wait come again, those at work are finished. */
  release(): void {
    for (const task of this.#turns.remove(isRetrievable)) this.#giveBack(task);
  }

  /** Resolves when nothing is at work, or `signal` is aborted. */
  async drain(signal: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.#atWork), signal);
  }

  /** Undefined when there is nothing to do. */
  #read(message: QueueMessage, session: Session): Task | undefined {
    try {
      const event = readAnnouncement(message.body);
      const { key } = event.data;
      const isKnown = this.#seen.get(key) !== undefined || this.#turns.isAtWork(key);
      const task = taskOf(message, event, session, isKnown);
      return this.#settleAgain(task) ? undefined : task;
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      this.#count({ kind: 'invalid', fault: { code: error.code, message: error.message } });
      message.settle(SETTLEMENTS.invalid);
      return undefined;
    }
  }

  /** A frame that was done with, and the broker had not heard of it. */
  #settleAgain({ key, message }: Task): boolean {
    const seen = this.#seen.get(key);
    if (!message.redelivered || seen === undefined || seen === 'requeue') return false;
    message.settle(seen);
    return true;
  }

  async #work(task: Task, store: FrameStore): Promise<void> {
    const { settings, handler } = this.options;
    if (this.#settleAgain(task)) {
      this.#turns.passedOver(task);
    } else if (settings.latestOnly && (await this.#overtaken.has(task, store))) {
      this.#overtaken.settle([task], store);
      this.#turns.passedOver(task);
    } else {
      this.#noteAge(task);
      const outcome = await attempt(task, store, settings.removal, handler);
      if (outcome.kind === 'unavailable') this.#unusable = { store, untilMs: performance.now() + RETRY_MS };
      await this.#conclude(task, outcome);
    }
    this.options.onChange();
  }

  async #conclude(task: Task, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'unavailable') {
      this.#keep(task, this.#turns.interrupted(task));
      return;
    }
    if (outcome.kind !== 'troubled') {
      await this.#finish(task, outcome);
      return;
    }
    const { fault, trouble } = outcome;
    const overtaken = this.#turns.troubled(task, performance.now(), Math.random());
    if (overtaken === undefined) {
      const { removal } = this.options.settings;
      await this.#finish(task, handlerFailed(task.event, removal, fault.cause ?? fault.message));
      return;
    }
    this.options.onTrouble(fault, trouble);
    this.#keep(task, overtaken);
  }

  /** The frame waits again; in vain if the broker has taken it back with the connection it came over. */
  #keep(task: Task, overtaken: readonly Task[]): void {
    this.#overtaken.settle(overtaken, this.options.store());
    if (!task.session.signal.aborted) return;
    for (const one of this.#turns.remove((waiting) => waiting === task && isRetrievable(task)))
      this.#giveBack(one);
  }

  #giveBack({ key, message }: Task): void {
    this.#seen.set(key, 'requeue');
    message.settle('requeue');
  }

  async #finish(task: Task, outcome: Final): Promise<void> {
    const { key, message, session } = task;
    const how = SETTLEMENTS[outcome.kind];
    this.#count(outcome);
    this.#seen.set(key, how);
    this.#turns.over(task, outcome.kind === 'processed');
    this.options.onFinished();
    if (how === 'requeue') {
      this.options.onChange();
      await sleep(redeliverDelayMs(message, Math.random()), session.signal);
    }
    message.settle(how);
  }

  #count({ kind, fault }: Final): void {
    if (kind === 'returned') return;
    this.#counts[kind === 'rejected' ? 'failed' : kind] += 1;
    if (fault !== undefined) this.options.faults.add(fault);
  }

  #noteAge({ event, message, isLate }: Task): void {
    if (isLate) return;
    const ageMs = Date.now() - event.data.capturedAt;
    const warning = this.#lag.note(ageMs, message.lifeMs, performance.now());
    if (warning !== undefined) this.options.faults.add({ code: 'behind', message: warning });
  }
}

/** What GETDEL has taken would be missing when it comes again: it waits here, whatever happens to its message. */
function isRetrievable({ taken }: Task): boolean {
  return taken === undefined;
}
