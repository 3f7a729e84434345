/** The consumer SDK: takes announced frames off a queue, hands their pictures to a handler, and survives outages. */
import { setMaxListeners } from 'node:events';
import { backOffMs } from '../clock/back-off';
import { aborted, sleep, unlessAborted } from '../clock/sleep';
import type { FrameHandler } from './attempt';
import type { ConsumerCounters } from './counters';
import { Dispatcher } from './dispatcher';
import { putDeadLetter } from './dead-letters';
import { ConsumerError } from './fault';
import { FaultReporter } from './fault-reporter';
import { openFrameQueue } from './frame-queue';
import type { QueueMessage } from './queue-message';
import { readSettings, type ConsumerOptions, type Settings } from './options';
import { Outages } from './outages';
import { Standstill } from './standstill';
import { RECONNECT, StoreLink } from './store-link';
import { Subscription } from './subscription';
import type { Session } from './task';

/** How long running handlers are waited for. */
const DRAIN_MS = 10_000;
/** With `latestOnly`, one frame of each camera waits here for its turn. */
const LATEST_WINDOW = 2000;

export interface FrameConsumer {
  readonly counters: ConsumerCounters;
  /**
   * Stops consuming, gives running handlers `deadlineMs` (10 s when absent), closes both connections. Frames
   * not finished by then return to the queue. Resolves when all is closed, at most about 3 s after the
   * deadline; never rejects.
   */
  close(deadlineMs?: number): Promise<void>;
}

/**
 * Consumes announced frames until {@link FrameConsumer.close}. Resolves at once: servers that are away, now or later,
 * are waited for. Rejects with a {@link ConsumerError} `invalid-option` when an option cannot be used.
 */
export function consumeFrames(options: ConsumerOptions, handler: FrameHandler): Promise<FrameConsumer> {
  return new Promise((resolve) => resolve(new SessionLoop(readSettings(options), handler)));
}

class SessionLoop implements FrameConsumer {
  readonly #faults: FaultReporter;
  readonly #outages: Outages;
  readonly #dispatcher: Dispatcher;
  readonly #link: StoreLink;
  readonly #standstill = new Standstill();
  readonly #stop = new AbortController();
  /** Aborted when running handlers are no longer waited for. */
  readonly #abandon = new AbortController();
  readonly #ended: Promise<void>;
  /** Set while a connection to RabbitMQ is open. */
  #session: Session | undefined;
  /** Sessions since a frame was last finished. */
  #attempt = 0;

  constructor(
    private readonly settings: Settings,
    handler: FrameHandler,
  ) {
    this.#faults = new FaultReporter(settings.onFault, () => performance.now());
    this.#outages = new Outages(this.#faults, settings.onConsuming);
    this.#link = new StoreLink({
      server: settings.redis,
      name: `vigil-consumer:${settings.queue}`,
      onOpen: () => this.#proceed(),
      onAway: (fault) => {
        if (!this.#stop.signal.aborted) this.#reportLost(fault);
        this.#proceed();
      },
    });
    this.#dispatcher = new Dispatcher({
      settings,
      handler,
      faults: this.#faults,
      store: () => this.#link.store,
      deadLetter: (message, fault) => putDeadLetter(settings.amqp, settings.queue, message, fault),
      onTrouble: (fault, kind) => this.#outages.report(fault, kind),
      onFinished: () => {
        this.#attempt = 0;
        this.#link.healthy();
      },
      onChange: () => this.#proceed(),
    });
    this.#ended = this.#run();
  }

  get counters(): ConsumerCounters {
    return this.#dispatcher.counters;
  }

  async close(deadlineMs = DRAIN_MS): Promise<void> {
    this.#stop.abort();
    this.#dispatcher.stop();
    const deadline = setTimeout(() => this.#abandon.abort(), deadlineMs);
    await this.#ended;
    clearTimeout(deadline);
    this.#standstill.stop();
    this.#faults.flush();
  }

  #reportLost({ code, message }: ConsumerError): void {
    this.#outages.report({ code, message: this.#standstill.explain(message) });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const unlink = new AbortController();
    const linked = this.#link.run(unlink.signal);
    while (!signal.aborted) {
      this.#attempt += 1;
      await this.#consumeOnce();
      await sleep(backOffMs(RECONNECT, this.#attempt, Math.random()), signal);
    }
    await this.#dispatcher.drain(this.#abandon.signal);
    unlink.abort();
    await linked;
  }

  /** Consumes until RabbitMQ is lost, which it reports, or until the consumer is closed. */
  async #consumeOnce(): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ending.signal]);
    // One listener for each waiting frame is not a leak.
    setMaxListeners(0, signal);
    const end = (fault: ConsumerError) => {
      if (!signal.aborted) this.#reportLost(fault);
      ending.abort();
    };
    try {
      await this.#openAndConsume(end, signal);
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      end(error);
    }
  }

  async #openAndConsume(end: (fault: ConsumerError) => void, signal: AbortSignal): Promise<void> {
    const { amqp, queue: name, prefetch, latestOnly } = this.settings;
    const onDelivery = (delivery: QueueMessage) => this.#dispatcher.accept(delivery, session);
    const queue = await openFrameQueue({ server: amqp(), queue: name, onDelivery, onLost: end }, signal);
    const subscription = new Subscription({
      queue,
      window: latestOnly ? Math.max(prefetch, LATEST_WINDOW) : prefetch,
      intake: () => this.#dispatcher.intake,
      onFlowing: () => {
        if (!signal.aborted) this.#outages.over();
      },
    });
    const session: Session = { signal, subscription, end };
    try {
      // At once, so that messages requeued afterwards are not delivered here again.
      const stop = () => queue.stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#session = session;
      this.#proceed();
      await aborted(signal);
      this.#session = undefined;
      this.#dispatcher.release();
      if (this.#stop.signal.aborted) await this.#dispatcher.drain(this.#abandon.signal);
    } finally {
      await queue.close();
    }
  }

  /** Requests as many frames from the broker as are wanted now, and starts those that may begin. */
  #proceed(): void {
    const session = this.#session;
    if (session?.subscription.isWidening !== true) this.#dispatcher.pump();
    if (session === undefined) return;
    void this.#follow(session);
  }

  async #follow(session: Session): Promise<void> {
    try {
      await unlessAborted(session.subscription.follow(), session.signal);
      this.#dispatcher.pump();
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      session.end(error);
    }
  }
}
