/** The way from one node to etcd: it has latency, and may be cut; and the process at its end, which may freeze or die. */
import { Fault } from '../../src/fault/fault';
import type { EtcdEvent, Watcher } from '../../src/etcd/etcd';
import type { FleetClock, FleetEtcd } from '../../src/fleet/options';
import type { Random } from '../random';
import type { SimulatedClock } from './clock';
import type { SimulatedEtcd } from './etcd';

/** There and back, with the disks of three nodes: 5 to 10 ms. */
const LATENCY_MS = 4;
/** This many endpoints are asked in turn, each with this time limit (src/etcd/gateway.ts). */
const ENDPOINTS = 3;
const ANSWER_MS = 1500;
/** Mere signs of life of other nodes are sent in batches, so that a simulated day stays short. */
const IDLE_BATCH_MS = 5000;

/** What the version of a node writes where this one would write `value`. */
export type AsWritten = (value: string, node: string) => string;

export class Link {
  isCut = false;
  #isDead = false;
  #frozenUntilMs = 0;
  #watcher: Watcher | undefined;
  #unwatch: () => void = () => undefined;
  #queue: EtcdEvent[] = [];
  #deliverAtMs = Infinity;

  constructor(
    private readonly node: string,
    private readonly etcd: SimulatedEtcd,
    private readonly clock: SimulatedClock,
    private readonly random: Random,
    private readonly asWritten: AsWritten,
  ) {}

  /** The process ends: nothing it waited for comes any more. */
  die(): void {
    this.#isDead = true;
    this.#unwatch();
  }

  freeze(ms: number): void {
    this.#frozenUntilMs = this.clock.nowMs + ms;
  }

  get runs(): boolean {
    return !this.#isDead && this.clock.nowMs >= this.#frozenUntilMs;
  }

  get reaches(): boolean {
    return !this.isCut && this.etcd.hasQuorum;
  }

  /** In this process, and when it runs again. */
  after(ms: number, act: () => void): void {
    this.clock.after(ms, () => {
      if (this.#isDead) return;
      if (this.runs) act();
      else this.after(this.#frozenUntilMs - this.clock.nowMs, act);
    });
  }

  readonly fleetClock: FleetClock = {
    now: () => this.clock.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else this.after(ms, resolve);
      }),
  };

  readonly client: FleetEtcd = {
    get: (key) => this.#ask(() => this.etcd.entries.get(key)),
    transact: (conditions, operations) => {
      const written = operations.map((operation) =>
        'put' in operation ? { ...operation, value: this.asWritten(operation.value, this.node) } : operation,
      );
      return this.#ask(() => this.etcd.transact(conditions, written));
    },
    grant: (ttlSeconds) => this.#ask(() => this.etcd.grant(ttlSeconds)),
    keepAlive: (lease) => this.#ask(() => this.etcd.keepAlive(lease)),
    revoke: (lease) => this.#ask(() => this.etcd.revoke(lease)),
    close: () => Promise.resolve(),
    watch: (_, watcher) => {
      this.#watcher = watcher;
      this.#begin();
    },
    rewatch: () => this.#deliver(),
  };

  /** Where the answer is lost, the work has been done all the same, and the next endpoint is asked to do it again. */
  #ask<T>(work: () => T, endpoints = ENDPOINTS): Promise<T> {
    this.etcd.requests++;
    return new Promise((resolve, reject) => {
      const fail = () =>
        this.after(ANSWER_MS, () => {
          if (endpoints > 1) this.#ask(work, endpoints - 1).then(resolve, reject);
          else reject(new Fault('etcd-away', 'etcd cannot be reached'));
        });
      this.clock.after(this.#latencyMs(), () => {
        if (!this.reaches) {
          fail();
          return;
        }
        const answer = work();
        this.after(this.#latencyMs(), () => {
          if (this.isCut) fail();
          else resolve(answer);
        });
      });
    });
  }

  #latencyMs(): number {
    return LATENCY_MS * (0.5 + this.random.next());
  }

  #begin(): void {
    this.after(2 * this.#latencyMs(), () => {
      if (!this.reaches) {
        this.after(1000, () => this.#begin());
        return;
      }
      this.#unwatch = this.etcd.watch((events, isIdle) => this.#collect(events, isIdle));
      this.#watcher?.onSnapshot([...this.etcd.entries.values()]);
    });
  }

  /** Sent in order; at once if it is more than another node's sign of life. */
  #collect(events: readonly EtcdEvent[], isIdle: boolean): void {
    for (const event of events) this.#queue.push(event);
    const isOfAnother = events.every(
      (event) => event.kind === 'put' && !event.entry.key.endsWith(`/nodes/${this.node}`),
    );
    const atMs = this.clock.nowMs + (isIdle && isOfAnother ? IDLE_BATCH_MS : this.#latencyMs());
    if (atMs >= this.#deliverAtMs) return;
    this.#deliverAtMs = atMs;
    this.after(atMs - this.clock.nowMs, () => {
      if (this.#deliverAtMs <= this.clock.nowMs) this.#deliver();
    });
  }

  /** A cut stream is read on when it is whole again. */
  #deliver(): void {
    this.#deliverAtMs = Infinity;
    if (this.#queue.length === 0) return;
    if (this.isCut) {
      this.#deliverAtMs = this.clock.nowMs + 1000;
      this.after(1000, () => this.#deliver());
      return;
    }
    const events = this.#queue;
    this.#queue = [];
    this.#watcher?.onEvents(events);
  }
}
