/** The store actor: drains the spool into Redis and has every stored frame announced. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../clock/sleep';
import type { Frame } from '../contract/frame';
import { RecurringFault } from '../log/recurring';
import type { Actor, ActorContext } from '../protocol/actor';
import { faultRecord, type FaultRecord } from '../protocol/fault';
import type { ActorCommand, DeliveredFrame, StoreParameters } from '../protocol/messages';
import type { Progress } from '../protocol/progress';
import { Spool } from '../spool/spool';
import { Delivery } from './store/delivery';
import { Outbox } from './store/outbox';
import { RedisFrames } from './store/redis-frames';
import { Retention } from './store/retention';
import { SpoolKeeper } from './store/spool-keeper';

/** How often bounds are enforced, and Redis is asked what it has on disk. */
const TICK_MS = 1000;
/** Deliveries are told together: after an outage there are hundreds a second. */
const TELL_MS = 50;
/** A frame's way through both servers has deadlines of 15 s in all. */
const STUCK_MS = 30_000;

export default function startStore(context: ActorContext<StoreParameters>): Actor {
  const store = new StoreActor(context);
  const ended = store.run();
  return {
    receive: (command) => {
      store.receive(command);
    },
    progress: () => store.progress(),
    stop: async () => {
      await store.stop();
      await ended;
    },
  };
}

class StoreActor {
  readonly #stopping = new AbortController();
  readonly #spool: Spool;
  readonly #redis: RedisFrames;
  readonly #outbox = new Outbox();
  readonly #retention: Retention;
  readonly #keeper: SpoolKeeper;
  readonly #delivery: Delivery;
  readonly #serverFaults: RecurringFault;
  readonly #spoolFaults: RecurringFault;
  readonly #drops: RecurringFault;
  readonly #latestFaults: RecurringFault;
  readonly #persistenceFaults: RecurringFault;
  /** Why Redis takes nothing, by code. */
  #redisFault: string | undefined = 'connecting';
  #wasReady = false;
  #delivered = 0;
  /** Delivered and not told yet. */
  #untold: DeliveredFrame[] = [];
  #tellTimer: NodeJS.Timeout | undefined;

  constructor(private readonly context: ActorContext<StoreParameters>) {
    const { parameters, log } = context;
    const { redisUrl, namespace, expireMs, holder, spoolDir, spool: bounds, durability } = parameters;
    this.#serverFaults = new RecurringFault(log);
    this.#spoolFaults = new RecurringFault(log);
    this.#drops = new RecurringFault(log);
    this.#latestFaults = new RecurringFault(log);
    this.#persistenceFaults = new RecurringFault(log);
    this.#spool = new Spool(spoolDir);
    this.#redis = new RedisFrames(
      redisUrl,
      namespace,
      expireMs,
      holder,
      (fault) => {
        this.#onRedis(fault);
      },
      (fault) => {
        this.#latestFaults.report(fault);
      },
      ({ code, message }) => {
        log.warn(message, { code });
      },
    );
    const common = { spool: this.#spool, outbox: this.#outbox, now: () => performance.now() };
    this.#retention = new Retention({
      spool: this.#spool,
      durable: durability === 'durable',
      expireMs,
      onGone: (frame) => {
        this.#outbox.forget(frame);
      },
    });
    this.#keeper = new SpoolKeeper({
      ...common,
      retention: this.#retention,
      bounds,
      onDropped: (frames, fault) => {
        this.#onDropped(frames, fault);
      },
    });
    this.#delivery = new Delivery({
      ...common,
      sink: this.#redis,
      retention: this.#retention,
      replay: bounds,
      expireMs,
      announce: (frame, delayed) => {
        context.report({ kind: 'announce', frame, delayed });
      },
      onFault: (fault) => {
        this.#serverFaults.report(fault);
      },
      onDelivered: (frame, delayed) => {
        this.#onDelivered(frame, delayed);
      },
      onDropped: (frame, fault) => {
        this.#onDropped([frame], fault);
      },
    });
  }

  receive(command: ActorCommand): void {
    switch (command.kind) {
      case 'frame':
        if (this.#outbox.add(command.frame, performance.now())) this.#delivery.wake();
        break;
      case 'announced':
        this.#delivery.announced(command.id, command.fault);
        break;
      case 'notifier-lost':
        this.#delivery.notifierLost();
        break;
      case 'notifier-ready':
        this.#delivery.resume();
        break;
      case 'announce':
      case 'camera-state':
      case 'gap':
        break;
    }
  }

  progress(): Progress {
    const { worked, isDue } = this.#delivery;
    return {
      done: worked,
      ...(isDue ? { dueMs: STUCK_MS } : {}),
      facts: {
        redis: this.#redisFault ?? 'ready',
        delivered: this.#delivered,
        waiting: this.#outbox.frames,
        waitingBytes: this.#outbox.bytes,
        ...(this.#retention.frames === 0 ? {} : { confirmed: this.#retention.frames }),
      },
    };
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#keepSpool();
      this.#delivery.wake();
      await this.#followRedis();
      await sleep(TICK_MS, signal);
    }
  }

  /** What the cameras spooled last is delivered too, if the servers take it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#keeper.scan().catch(() => undefined);
    this.#delivery.wake();
    await this.#delivery.drain(this.context.parameters.drainMs);
    await this.#redis.close();
    await this.#delivery.stop();
    this.#tellDelivered();
    await this.#spool.close();
  }

  async #keepSpool(): Promise<void> {
    try {
      await this.#keeper.tick();
    } catch (error) {
      const message = `the spool cannot be read: ${(error as Error).message}`;
      this.#spoolFaults.report({ code: 'spool-read', message });
    }
  }

  /** Lets confirmed frames go that are on Redis's disk, and stores again those that it has lost. */
  async #followRedis(): Promise<void> {
    if (this.context.parameters.durability === 'memory' || this.#redisFault !== undefined) return;
    try {
      const persistence = await this.#redis.persistence();
      const restored = await this.#retention.restoreAfter(persistence, this.#redis, Date.now());
      if (restored > 0)
        this.context.log.warn('redis began anew: frames are stored again', { frames: restored });
      await this.#retention.release(persistence.durableBeforeMs, Date.now());
      this.#persistenceFaults.clear('redis says again what it has on disk');
    } catch (error) {
      this.#persistenceFaults.report(faultRecord(error, 'redis'));
    }
  }

  #onDelivered({ camera, sequence }: Frame, delayed: boolean): void {
    this.#delivered++;
    this.#serverFaults.clear('frames are delivered again');
    this.#untold.push({ camera, sequence, delayed });
    this.#tellTimer ??= setTimeout(() => {
      this.#tellDelivered();
    }, TELL_MS);
  }

  #tellDelivered(): void {
    clearTimeout(this.#tellTimer);
    this.#tellTimer = undefined;
    if (this.#untold.length > 0) this.context.report({ kind: 'delivered', frames: this.#untold });
    this.#untold = [];
  }

  #onDropped(frames: readonly Frame[], fault: FaultRecord): void {
    this.#drops.report(fault);
    const reason = fault.code;
    const periods = frames.map(({ camera, sequence }) => ({ camera, sequence, reason }));
    this.context.report({ kind: 'dropped', frames: periods });
  }

  #onRedis(fault: FaultRecord | undefined): void {
    if (this.#stopping.signal.aborted) return;
    this.#redisFault = fault?.code;
    this.context.report({ kind: 'readiness', ...(fault === undefined ? {} : { fault }) });
    if (fault !== undefined) {
      this.#serverFaults.report(fault);
      return;
    }
    if (!this.#wasReady) this.context.log.info('redis is ready');
    this.#wasReady = true;
    this.#delivery.resume();
  }
}
