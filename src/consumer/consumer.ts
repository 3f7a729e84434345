/** The consumer SDK: takes announced frames off a queue, hands their pictures to a handler, and survives outages. */
import { setMaxListeners } from 'node:events';
import { backOffMs, type BackOff } from '../clock/back-off';
import { aborted, sleep } from '../clock/sleep';
import { REDIS_SCHEMES } from '../redis/address';
import { attempt, SETTLEMENTS, type FrameHandler, type Outcome, type Removal } from './attempt';
import { ConsumerError, type ConsumerFault } from './fault';
import { FaultReporter } from './fault-reporter';
import { openFrameQueue, type Delivery } from './frame-queue';
import { openFrameStore, type FrameStore } from './frame-store';
import { redeliverDelayMs } from './redelivery';
import { readServerUrl, type ServerUrl } from './server-url';

const RECONNECT: BackOff = { firstMs: 200, capMs: 10_000 };
/** How long a session that lost a server waits for handlers at work before the next session begins. */
const DRAIN_MS = 10_000;

export interface ConsumerOptions {
  /** `amqp://` or `amqps://`, of one host or several that are tried in turn; user and password percent-encoded. */
  readonly amqpUrl: string;
  /** `redis://`, `redis-sentinel://` or `redis-cluster://`, or those with `rediss`; user and password percent-encoded. */
  readonly redisUrl: string;
  readonly queue: string;
  /** Frames at work at the same time, 1 to 65535; 8 when absent. */
  readonly prefetch?: number;
  /** `after` when absent. */
  readonly removal?: Removal;
  /** Told of faults, at most once a second for each code; an outage once, until frames flow again. */
  readonly onFault?: (fault: ConsumerFault) => void;
  /** Told each time consuming begins, first or after an outage. */
  readonly onConsuming?: () => void;
}

/** Deliveries by what became of them. A failed frame that comes again and succeeds counts in both. */
export interface ConsumerCounters {
  readonly processed: number;
  /** Announced, and no longer in Redis. */
  readonly expired: number;
  /** No frame announcements. */
  readonly invalid: number;
  /** The handler threw. */
  readonly failed: number;
}

export interface FrameConsumer {
  readonly counters: ConsumerCounters;
  /**
   * Stops consuming, gives handlers at work `deadlineMs` (10 s when absent), closes both connections. Frames not done
   * by then go back to the queue. Resolves when nothing is left, at most some 3 s after the deadline; never rejects.
   */
  close(deadlineMs?: number): Promise<void>;
}

/**
 * Consumes announced frames until {@link FrameConsumer.close}. Resolves at once: servers that are away, now or later,
 * are waited for. Rejects with a {@link ConsumerError} `invalid-option` when an option cannot be used.
 */
export function consumeFrames(options: ConsumerOptions, handler: FrameHandler): Promise<FrameConsumer> {
  return new Promise((resolve) => {
    resolve(new SessionLoop(readSettings(options), handler));
  });
}

interface Settings {
  readonly amqp: ServerUrl;
  readonly redis: ServerUrl;
  readonly queue: string;
  readonly prefetch: number;
  readonly removal: Removal;
  readonly onFault: (fault: ConsumerFault) => void;
  readonly onConsuming: () => void;
}

function readSettings(options: ConsumerOptions): Settings {
  const { prefetch = 8, removal = 'after', queue } = options;
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > 65_535)
    throw new ConsumerError('invalid-option', `prefetch: expected 1 to 65535, found ${String(prefetch)}`);
  if (queue === '') throw new ConsumerError('invalid-option', 'queue: expected a name, found none');
  return {
    amqp: readServerUrl('amqpUrl', options.amqpUrl, ['amqp', 'amqps']),
    redis: readServerUrl('redisUrl', options.redisUrl, REDIS_SCHEMES),
    queue,
    prefetch,
    removal,
    onFault: options.onFault ?? (() => undefined),
    onConsuming: options.onConsuming ?? (() => undefined),
  };
}

/** One connection to each server, and the deliveries that came over them. */
interface Session {
  readonly store: FrameStore;
  readonly signal: AbortSignal;
  end(fault: ConsumerError): void;
}

class SessionLoop implements FrameConsumer {
  readonly #counts = { processed: 0, expired: 0, invalid: 0, failed: 0 };
  readonly #faults: FaultReporter;
  readonly #stop = new AbortController();
  /** Aborted when handlers at work are no longer waited for. */
  readonly #abandon = new AbortController();
  readonly #atWork = new Set<Promise<void>>();
  readonly #ended: Promise<void>;
  /** Sessions since a frame was last retrieved. */
  #attempt = 0;
  /** Code of the fault that was last reported, until consuming begins. */
  #outage: string | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly handler: FrameHandler,
  ) {
    this.#faults = new FaultReporter(settings.onFault, () => performance.now());
    this.#ended = this.#run();
  }

  get counters(): ConsumerCounters {
    return { ...this.#counts };
  }

  async close(deadlineMs = DRAIN_MS): Promise<void> {
    this.#stop.abort();
    const deadline = setTimeout(() => {
      this.#abandon.abort();
    }, deadlineMs);
    await this.#ended;
    clearTimeout(deadline);
    this.#faults.flush();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#attempt += 1;
      await this.#consumeOnce();
      await sleep(backOffMs(RECONNECT, this.#attempt, Math.random()), signal);
    }
  }

  /** Consumes until a server is lost, which it reports, or until the consumer is closed. */
  async #consumeOnce(): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ending.signal]);
    // One listener for each frame at work is no leak.
    setMaxListeners(0, signal);
    const end = (fault: ConsumerError) => {
      if (!signal.aborted) this.#reportOutage(fault);
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
    const { amqp, redis, queue: name, prefetch } = this.settings;
    const store = await openFrameStore(redis, `vigil-consumer:${name}`, end, signal);
    try {
      const queue = await openFrameQueue({ server: amqp, queue: name, prefetch, onLost: end }, signal);
      try {
        // At once, so that what is requeued afterwards does not come straight back.
        const stop = () => {
          queue.stop();
        };
        signal.addEventListener('abort', stop, { once: true });
        const consuming = queue.consume((delivery) => {
          this.#accept(delivery, { store, signal, end });
        });
        await Promise.race([consuming, aborted(signal)]);
        this.#reportConsuming(signal);
        await aborted(signal);
        queue.stop();
        await this.#drain();
      } finally {
        await queue.close();
      }
    } finally {
      await store.close();
    }
  }

  #accept(delivery: Delivery, session: Session): void {
    if (session.signal.aborted) {
      delivery.settle('requeue');
      return;
    }
    const work = this.#work(delivery, session).finally(() => this.#atWork.delete(work));
    this.#atWork.add(work);
  }

  async #work(delivery: Delivery, session: Session): Promise<void> {
    const outcome = await attempt(delivery, session.store, this.settings.removal, this.handler);
    this.#count(outcome);
    if (outcome.kind === 'unavailable') session.end(outcome.fault);
    else this.#attempt = 0;
    if (outcome.kind === 'failed' || outcome.kind === 'returned')
      await sleep(redeliverDelayMs(delivery, Math.random()), session.signal);
    delivery.settle(SETTLEMENTS[outcome.kind]);
  }

  #count(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'processed':
      case 'expired':
      case 'invalid':
      case 'failed':
        this.#counts[outcome.kind] += 1;
        break;
      case 'rejected':
        this.#counts.failed += 1;
        break;
      case 'returned':
      case 'unavailable':
        return;
    }
    if (outcome.fault !== undefined) this.#faults.add(outcome.fault);
  }

  #reportOutage(fault: ConsumerError): void {
    if (fault.code === this.#outage) return;
    this.#outage = fault.code;
    this.#faults.add({ code: fault.code, message: fault.message });
  }

  #reportConsuming(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#outage = undefined;
    this.settings.onConsuming();
  }

  async #drain(): Promise<void> {
    const limit = new AbortController();
    const waited = sleep(DRAIN_MS, AbortSignal.any([limit.signal, this.#abandon.signal]));
    await Promise.race([Promise.all(this.#atWork), waited]);
    limit.abort();
  }
}
