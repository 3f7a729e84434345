/** Passes each frame to the handler when its turn comes, and settles its message. */
import { sleep, unlessAborted } from '../clock/sleep';
import { readAnnouncement, readOtherEvent } from './announcement';
import { attempt, handlerFailed, settlementOf, type Final, type FrameHandler, type Outcome } from './attempt';
import { Counts, type ConsumerCounters } from './counters';
import type { PutDeadLetter } from './dead-letters';
import { ConsumerError, type ConsumerFault } from './fault';
import type { FaultReporter } from './fault-reporter';
import type { QueueMessage } from './queue-message';
import type { FrameStore } from './frame-store';
import { Lag } from './lag';
import type { Settings } from './options';
import { Overtaken } from './overtaken';
import { redeliverDelayMs } from './redelivery';
import { SeenFrames } from './seen-frames';
import { guarded, tellSettled } from './settled';
import type { Intake } from './subscription';
import { taskOf, type Session, type Task } from './task';
import { Turns } from './turns';

export interface DispatcherOptions {
  readonly settings: Pick<Settings, 'prefetch' | 'removal' | 'latestOnly'> &
    Partial<Pick<Settings, 'queue' | 'ordered' | 'deliveryLimit' | 'onSettled' | 'onEvent'>>;
  readonly handler: FrameHandler;
  readonly faults: FaultReporter;
  /** Undefined while Redis is away. */
  readonly store: () => FrameStore | undefined;
  /** The consumer itself is in trouble; reports of the same `kind` are about the same trouble. */
  readonly onTrouble: (fault: Omit<ConsumerFault, 'count'>, kind: string) => void;
  /** If absent, RabbitMQ dead-letters rejected messages, without a reason. */
  readonly deadLetter?: PutDeadLetter;
  /** A frame is finished, so both servers work. */
  readonly onFinished: () => void;
  /** The number of deliveries to request from the broker may have changed. */
  readonly onChange: () => void;
}

/**
 * A closed connection to Redis rejects commands at once, but reports its end only when the event loop turns:
 * retries without a pause keep it from turning.
 */
const RETRY_MS = 100;

export class Dispatcher {
  readonly #counts = new Counts();
  readonly #turns: Turns<Task>;
  readonly #seen = new SeenFrames();
  readonly #lag = new Lag();
  readonly #overtaken: Overtaken;
  readonly #atWork = new Set<Promise<void>>();
  /** The connection to Redis that failed last, and how long to leave it unused. */
  #unusable: { readonly store: FrameStore; readonly untilMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly options: DispatcherOptions) {
    const { prefetch, latestOnly, ordered } = options.settings;
    this.#turns = new Turns(prefetch, latestOnly, ordered);
    this.#overtaken = new Overtaken((task) => tellSettled(options.settings.onSettled, task, 'overtaken'));
  }

  get counters(): ConsumerCounters {
    const { latestOnly } = this.options.settings;
    return { ...this.#counts.counters, ...(latestOnly ? { overtaken: this.#overtaken.count } : {}) };
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

  /** Starts the frames whose turn has come. */
  pump(): void {
    clearTimeout(this.#timer);
    const store = this.options.store();
    if (store === undefined || this.#isStopped) return;
    // Read once: a due time between two readings would get neither a turn nor a timer.
    const nowMs = performance.now();
    const restMs = this.#restMs(store, nowMs);
    while (restMs === undefined) {
      const task = this.#turns.next(nowMs);
      if (task === undefined) break;
      this.#track(this.#work(task, store));
    }
    const dueMs = restMs ?? this.#turns.dueMs(nowMs);
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => this.pump(), dueMs);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#atWork.delete(tracked));
    this.#atWork.add(tracked);
  }

  #restMs(store: FrameStore, nowMs: number): number | undefined {
    if (this.#unusable?.store !== store) return undefined;
    const restMs = this.#unusable.untilMs - nowMs;
    return restMs > 0 ? restMs : undefined;
  }

  /** Starts nothing new. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** The connection to RabbitMQ has gone: waiting frames will be redelivered, running handlers finish. */
  release(): void {
    for (const task of this.#turns.remove(isRetrievable)) this.#giveBack(task);
  }

  /** Resolves when no handler is running, or `signal` is aborted. */
  async drain(signal: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.#atWork), signal);
  }

  /** Undefined if there is nothing to do. */
  #read(message: QueueMessage, session: Session): Task | undefined {
    try {
      const event = readAnnouncement(message.body);
      const { key } = event.data;
      const isKnown = this.#seen.get(key) !== undefined || this.#turns.isAtWork(key);
      const task = taskOf(message, event, session, this.options.settings, isKnown);
      return this.#settleAgain(task) ? undefined : task;
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      if (this.#isOther(message)) return undefined;
      const { code, message: text } = error;
      this.#count({ kind: 'invalid', fault: { code, message: text } });
      this.#track(this.#bury(message, { code, message: text }));
      return undefined;
    }
  }

  /** Hands over an event that is not about a frame, and acknowledges it. */
  #isOther(message: QueueMessage): boolean {
    const event = readOtherEvent(message.body);
    if (event === undefined) return false;
    message.settle('ack');
    guarded(() => this.options.settings.onEvent?.(event));
    return true;
  }

  /** Settles a finished frame again if the broker did not receive the first settlement. */
  #settleAgain(task: Task): boolean {
    const { key, message } = task;
    const how = this.#seen.settlementOf(key, message.redelivered);
    if (how === undefined) return false;
    message.settle(how);
    tellSettled(this.options.settings.onSettled, task, 'repeated');
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
      this.#begin(task);
      const outcome = await attempt(task, store, task.removal, handler);
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
    if (outcome.kind !== 'troubled') return this.#finish(task, outcome);
    const { fault, trouble } = outcome;
    const overtaken = this.#turns.troubled(task, performance.now(), Math.random());
    if (overtaken === undefined) {
      await this.#finish(task, handlerFailed(task.event, task.removal, fault.cause ?? fault.message));
      return;
    }
    this.options.onTrouble(fault, trouble);
    this.#keep(task, overtaken);
  }

  /** The frame waits again, unless the connection that delivered it has closed, and the broker has taken it back. */
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
    const how = settlementOf(outcome.kind, message.deliveryCount, this.options.settings.deliveryLimit);
    this.#count(outcome);
    this.#seen.set(key, how);
    this.#turns.over(task, outcome.kind === 'processed');
    this.options.onFinished();
    tellSettled(this.options.settings.onSettled, task, outcome.kind);
    if (how !== 'ack') this.options.onChange();
    if (how === 'requeue') await sleep(redeliverDelayMs(message, Math.random()), session.signal);
    if (how === 'reject') await this.#bury(message, outcome.fault, key);
    else message.settle(how);
  }

  /** Puts a failed message into the dead-letter queue with its reason, or rejects it, which moves it without one. */
  async #bury(message: QueueMessage, fault: Final['fault'], key?: string): Promise<void> {
    const isPut = fault !== undefined && ((await this.options.deadLetter?.(message, fault)) ?? false);
    if (key !== undefined) this.#seen.set(key, isPut ? 'dead' : 'reject');
    message.settle(isPut ? 'ack' : 'reject');
  }

  #count({ kind, fault }: Final): void {
    this.#counts.add(kind);
    if (fault !== undefined && kind !== 'returned') this.options.faults.add(fault);
  }

  #begin(task: Task): void {
    task.startedMs = performance.now();
    if (task.isLate) return;
    const ageMs = Date.now() - task.capturedAt;
    const message = this.#lag.note(ageMs, task.message.lifeMs, task.startedMs);
    if (message !== undefined) this.options.faults.add({ code: 'behind', message });
  }
}

/** A picture taken by GETDEL would be missing at a redelivery: it is kept here, whatever happens to its message. */
function isRetrievable({ taken }: Task): boolean {
  return taken === undefined;
}
