/** The store actor: drains the spool into Redis and has every stored frame announced. */
import { sleep } from '../clock/sleep';
import { RecurringFault } from '../log/recurring';
import type { Actor, ActorContext } from '../protocol/actor';
import type { FaultRecord } from '../protocol/fault';
import type { ActorCommand, StoreParameters } from '../protocol/messages';
import type { Progress } from '../protocol/progress';
import { Spool } from '../spool/spool';
import { overflow, type Overflow } from './store/bounds';
import { Delivery } from './store/delivery';
import { RedisFrames } from './store/redis-frames';

/** How often the spool itself is looked at: hints of cameras may have been lost, the spool is the truth. */
const SCAN_MS = 2000;
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
  readonly #delivery: Delivery;
  readonly #serverFaults: RecurringFault;
  readonly #damage: RecurringFault;
  readonly #drops: RecurringFault;
  /** Why Redis takes nothing, by code. */
  #redisFault: string | undefined = 'connecting';

  constructor(private readonly context: ActorContext<StoreParameters>) {
    const { parameters, log } = context;
    this.#serverFaults = new RecurringFault(log);
    this.#damage = new RecurringFault(log);
    this.#drops = new RecurringFault(log);
    this.#spool = new Spool(parameters.spoolDir);
    this.#redis = new RedisFrames(parameters.redisUrl, parameters.namespace, parameters.expireMs, (fault) => {
      this.#onRedis(fault);
    });
    this.#delivery = new Delivery({
      spool: this.#spool,
      sink: this.#redis,
      announce: (frame, delayed) => {
        context.report({ kind: 'announce', frame, delayed });
      },
      onFault: (fault, damagedFrame) => {
        (damagedFrame ? this.#damage : this.#serverFaults).report(fault);
      },
      onDelivered: () => {
        this.#serverFaults.clear('frames are delivered again');
      },
    });
  }

  receive(command: ActorCommand): void {
    switch (command.kind) {
      case 'frame':
        this.#delivery.offerLive(command.frame);
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
    const { finished, queued, isDue } = this.#delivery;
    return {
      done: finished,
      ...(isDue ? { dueMs: STUCK_MS } : {}),
      facts: { redis: this.#redisFault ?? 'ready', delivered: finished, queued },
    };
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    let before = Infinity;
    while (!signal.aborted) {
      await this.#scan(before);
      await sleep(SCAN_MS, signal);
      // A frame younger than a scan's pause is on its way as a hint, and would be called delayed without reason.
      before = Date.now() - SCAN_MS;
    }
  }

  /** What the cameras spooled last is delivered too, if the servers take it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#scan(Infinity);
    await this.#delivery.drain(this.context.parameters.drainMs);
    this.#redis.close();
    await this.#delivery.stop();
  }

  /** @param before capture time from which on frames are left to the cameras' hints */
  async #scan(before: number): Promise<void> {
    try {
      const frames = await this.#spool.list();
      const dropped = overflow(frames, this.context.parameters.spool, Date.now());
      for (const drop of dropped) await this.#drop(drop);
      this.#delivery.offerBacklog(
        frames.slice(dropped.length).filter(({ capturedAt }) => capturedAt < before),
      );
    } catch (error) {
      this.#serverFaults.report({
        code: 'spool-read',
        message: `the spool cannot be read: ${(error as Error).message}`,
      });
    }
  }

  async #drop({ frame, reason }: Overflow): Promise<void> {
    await this.#spool.remove(frame);
    const { maxBytes, maxAgeMs } = this.context.parameters.spool;
    const bound =
      reason === 'spool-age'
        ? `spool.maxAgeMs (${String(maxAgeMs)})`
        : `spool.maxBytes (${String(maxBytes)})`;
    this.#drops.report({
      code: reason,
      message: `an undelivered frame is dropped: the spool has reached ${bound}`,
    });
  }

  #onRedis(fault: FaultRecord | undefined): void {
    if (this.#stopping.signal.aborted) return;
    this.#redisFault = fault?.code;
    this.context.report({ kind: 'readiness', ...(fault === undefined ? {} : { fault }) });
    if (fault !== undefined) {
      this.#serverFaults.report(fault);
      return;
    }
    this.context.log.info('redis is ready');
    this.#delivery.resume();
  }
}
