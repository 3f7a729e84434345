/** The store actor: drains the spool into Redis and has every stored frame announced. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../clock/sleep';
import type { Frame } from '../../contract/frame';
import { RecurringFaults } from '../../fault/recurring-faults';
import { startLoop, type Actor, type ActorContext, type ActorLoop } from '../../protocol/actor';
import type { FaultRecord } from '../../fault/fault';
import type { ActorCommand, StoreParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import { Spool } from '../../spool/spool';
import { DeliveredReports } from './delivered-reports';
import { Delivery } from './delivery';
import { Durability } from './durability';
import { Eviction } from './eviction';
import { ServerOnDisk } from './known-server';
import { LedgerCopier } from './ledger-copier';
import { Outbox } from './outbox';
import { RedisFrames } from './redis-frames';
import { Retention } from './retention';
import { SpoolKeeper } from './spool-keeper';

/** How often bounds are enforced, and Redis is queried for what it has on disk. */
const TICK_MS = 1000;
/** The deadlines of one delivery through both servers add up to 15 s. */
const STUCK_MS = 30_000;

/** Logged when a fault is over. Dropped frames and a denied `latest` key are only reported. */
const OVER = {
  servers: 'frames are delivered again',
  spool: 'the whole spool can be read again',
  foreign: 'the spool folders no longer hold files of other users',
  unreadable: 'all frames of the spool can be read again',
  dropped: undefined,
  latest: undefined,
};

export default function startStore(context: ActorContext<StoreParameters>): Actor {
  return startLoop(new StoreActor(context));
}

class StoreActor implements ActorLoop {
  readonly #stopping = new AbortController();
  readonly #spool: Spool;
  readonly #redis: RedisFrames;
  readonly #outbox = new Outbox();
  readonly #eviction: Eviction;
  readonly #retention: Retention;
  readonly #durability: Durability;
  readonly #keeper: SpoolKeeper;
  readonly #delivery: Delivery;
  readonly #faults: RecurringFaults<keyof typeof OVER>;
  readonly #reports: DeliveredReports;
  /** Set only in a fleet. */
  readonly #copier: LedgerCopier | undefined;
  /** Code of the fault for which Redis accepts nothing. */
  #redisFault: string | undefined = 'connecting';
  /** Why nothing is delivered, as of the last attempt. */
  #trouble: FaultRecord | undefined;
  #wasReady = false;
  /** The spool was listed once: until then, frames may be missing in front of those that cameras report. */
  #isListed = false;

  constructor(private readonly context: ActorContext<StoreParameters>) {
    const { parameters, log } = context;
    const { redisUrl, namespace, expireMs, holder, spoolDir, spool: bounds, durability, claims } = parameters;
    this.#faults = new RecurringFaults(log, OVER);
    this.#reports = new DeliveredReports((frames) => context.report({ kind: 'delivered', frames }));
    this.#spool = new Spool(spoolDir);
    this.#redis = new RedisFrames(
      redisUrl,
      namespace,
      expireMs,
      holder,
      (fault) => this.#onRedis(fault),
      (fault) => this.#faults.report('latest', fault),
      ({ code, message }) => log.warn(message, { code }),
      claims,
    );
    this.#copier = claims && LedgerCopier.of(claims, this.#redis, log);
    this.#eviction = new Eviction({
      url: redisUrl,
      log,
      memory: () => this.#redis.memory(),
      onEvicted: (keys) => context.report({ kind: 'evicted', keys }),
      now: () => performance.now(),
    });
    const common = { spool: this.#spool, outbox: this.#outbox, now: () => performance.now() };
    const server = new ServerOnDisk(spoolDir);
    const present = () => context.parameters;
    this.#retention = new Retention({
      spool: this.#spool,
      durable: durability === 'durable',
      server,
      get expireMs() {
        return present().expireMs;
      },
      onGone: (frame) => this.#outbox.forget(frame),
    });
    this.#durability = new Durability({ redis: this.#redis, retention: this.#retention, server, log });
    this.#keeper = new SpoolKeeper({
      ...common,
      retention: this.#retention,
      bounds,
      onDropped: (frames, fault) => this.#onDropped(frames, fault),
    });
    this.#delivery = new Delivery({
      ...common,
      sink: this.#redis,
      retention: this.#retention,
      replay: bounds,
      get expireMs() {
        return present().expireMs;
      },
      announce: (frame, delayed) => context.report({ kind: 'announce', frame, delayed }),
      onFault: (fault) => {
        this.#trouble = fault;
        this.#faults.report('servers', fault);
      },
      onDelivered: (frame, delayed) => this.#onDelivered(frame, delayed),
      onUnreadable: (fault) => this.#faults.report('unreadable', fault),
      onDropped: (frame, fault) => this.#onDropped([frame], fault),
      claims: this.#redis.claims,
      onSuperseded: ({ camera, sequence }) =>
        context.report({ kind: 'dropped', frames: [{ camera, sequence, reason: 'superseded' }] }),
    });
  }

  /** The expiry may have changed; `drainMs` is looked up when it is needed. */
  async changed(): Promise<void> {
    this.#redis.expireMs = this.context.parameters.expireMs;
  }

  receive(command: ActorCommand): void {
    switch (command.kind) {
      case 'frame':
        if (this.#outbox.add(command.frame, performance.now()) && this.#isListed) this.#delivery.wake();
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
    const { worked, isDue, writeMs } = this.#delivery;
    const { oldestBornMs } = this.#outbox;
    return {
      done: worked,
      fault: this.#trouble,
      dueMs: isDue ? STUCK_MS : undefined,
      facts: {
        redis: this.#redisFault ?? 'ready',
        ...(writeMs === undefined ? {} : { writeMs: Math.round(writeMs * 10) / 10 }),
        delivered: this.#reports.total,
        waiting: this.#outbox.frames,
        waitingBytes: this.#outbox.bytes,
        ...(this.#outbox.unreadable === 0 ? {} : { unreadable: this.#outbox.unreadable }),
        ...(oldestBornMs === undefined
          ? {}
          : { oldestWaitingMs: Math.round(performance.now() - oldestBornMs) }),
        ...(this.#retention.frames === 0 ? {} : { confirmed: this.#retention.frames }),
        ...(this.#eviction.total === 0 ? {} : { evicted: this.#eviction.total }),
      },
    };
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    const { durability } = this.context.parameters;
    while (!signal.aborted) {
      await this.#keepSpool();
      this.#isListed = true;
      this.#delivery.wake();
      if (this.#redisFault === undefined && durability === 'durable') await this.#durability.tick();
      if (this.#redisFault === undefined) await this.#eviction.tick();
      if (this.#redisFault === undefined) await this.#copier?.tick();
      await sleep(TICK_MS, signal);
    }
  }

  /** Delivers the last frames the cameras spooled too, if the servers accept them. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#keeper.scan();
    this.#delivery.wake();
    await this.#delivery.drain(this.context.parameters.drainMs);
    await this.#redis.close();
    await this.#delivery.stop();
    this.#reports.flush();
    this.#eviction.flush();
    await this.#spool.close();
  }

  async #keepSpool(): Promise<void> {
    const fault = await this.#keeper.tick();
    if (fault === undefined) this.#faults.clear('spool');
    else this.#faults.report('spool', { ...fault, message: `the spool cannot be read: ${fault.message}` });
    const { foreign } = this.#spool;
    if (foreign.length === 0) this.#faults.clear('foreign');
    else
      this.#faults.report('foreign', {
        code: 'spool-foreign',
        message: `${foreign.join('; ')}: it is ignored, and another folder is used; remove it`,
      });
    if (this.#outbox.unreadable === 0) this.#faults.clear('unreadable');
  }

  #onDelivered(frame: Frame, delayed: boolean): void {
    this.#trouble = undefined;
    this.#faults.clear('servers');
    this.#reports.add(frame, delayed);
  }

  #onDropped(frames: readonly Frame[], fault: FaultRecord): void {
    this.#faults.report('dropped', fault);
    const reason = fault.code;
    const periods = frames.map(({ camera, sequence }) => ({ camera, sequence, reason }));
    this.context.report({ kind: 'dropped', frames: periods });
  }

  #onRedis(fault: FaultRecord | undefined): void {
    if (this.#stopping.signal.aborted) return;
    this.#redisFault = fault?.code;
    this.#trouble = fault;
    this.context.report({ kind: 'readiness', fault });
    if (fault !== undefined) {
      this.#faults.report('servers', fault);
      return;
    }
    if (!this.#wasReady) this.context.log.info('redis is ready');
    this.#wasReady = true;
    this.#delivery.resume();
  }
}
