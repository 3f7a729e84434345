/** A node of a fleet: joins, keeps its lease, sees the others, and holds the cameras that are its own. */
import { sleep } from '../clock/sleep';
import { faultRecord } from '../fault/fault';
import { RecurringFault } from '../fault/recurring';
import { ClockWarning } from './clock-warning';
import { Differing } from './differing';
import { Facts, Keys } from './facts';
import { Holdings } from './holdings';
import { Lease, LEASE_MS, RENEW_MS } from './lease';
import { Movement, type CapturedFrame } from './movement';
import type { FleetClock, FleetOptions } from './options';
import { Gathering } from './pace';
import { Planning } from './planning';
import { Presence } from './presence';
import type { Roster } from './roster';
import { statusOf, type FleetStatus, type MemberState } from './status';
import { SharedConfiguration } from './shared-configuration';
import { ClockSkews } from './skew';
import { listOf, NODE_IN_USE, sequelText, STATE_TEXTS } from './sentences';

/** Facts change in bursts, such as when a node dies: they are considered together. */
const LOOK_MS = 100;
/** When all cameras are considered again, milliseconds: in a large fleet this is expensive. */
const AGAIN_MS = { time: 0, patience: 10_000, none: Infinity } as const;
/** Time after the end of a dead node's lease until its keys have gone. */
const GONE_MS = 3000;

export class Fleet {
  readonly #stopping = new AbortController();
  readonly #keys: Keys;
  readonly #facts: Facts;
  readonly #lease: Lease;
  readonly #holdings: Holdings;
  readonly #faults: RecurringFault;
  #ended: Promise<unknown> = Promise.resolve();
  #state: MemberState = 'joining';
  #isDraining = false;
  /** All keys have been read. */
  #isRead = false;
  readonly #presence: Presence;
  readonly #movement: Movement;
  readonly #planning: Planning;
  readonly #skews: ClockSkews;
  readonly #clocks: ClockWarning;
  readonly #gathering = new Gathering();
  readonly #clock: FleetClock;
  /** When there may be something to do even though nothing has changed. */
  #againMs = 0;
  #turn: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #lookedMs = -Infinity;
  readonly #differing: Differing;
  /** The cameras that all nodes have. */
  readonly shared: SharedConfiguration;
  /** Since when another daemon is seen under this node's name. */
  #refusedSinceMs: number | undefined;

  constructor(private readonly options: FleetOptions) {
    const { etcd, name, node, log, onHeld, secret, placement, clock = MACHINE } = options;
    const { now } = (this.#clock = clock);
    this.#keys = new Keys(name);
    this.shared = new SharedConfiguration({ etcd, key: this.#keys.configuration, fleet: name, node, secret });
    const facts = (this.#facts = new Facts(this.#keys));
    this.#planning = new Planning(node, facts, placement);
    this.#lease = new Lease(etcd, now);
    this.#faults = new RecurringFault(log);
    this.#differing = new Differing(log, now);
    [this.#clocks, this.#skews] = [new ClockWarning(log), new ClockSkews(node)];
    const own = { etcd, node, keys: this.#keys, facts, lease: this.#lease, now };
    this.#presence = new Presence(options, own);
    this.#holdings = new Holdings({ ...own, onHeld });
    this.#movement = new Movement({ ...own, holdings: this.#holdings, log });
  }

  /** Starts the loop; waits for nothing. */
  start(): void {
    this.options.etcd.watch(this.#keys.prefix, {
      onSnapshot: (entries) => {
        this.#facts.replace(entries);
        this.#isRead = true;
        this.#skews.hear(this.#facts.nodes, undefined);
        this.shared.replace(entries);
        this.consider();
      },
      onEvents: (events) => {
        this.shared.apply(events);
        const isNews = this.#facts.apply(events);
        this.#skews.hear(this.#facts.nodes, Date.now());
        this.#clocks.look(this.#skews.far);
        if (isNews) this.consider();
      },
      onFault: () => undefined,
    });
    const guard = this.#lease.guard(this.#clock, this.#stopping.signal, () => this.#isolate());
    this.#ended = Promise.all([this.#run(), guard]);
  }

  /** Ends without notifying the others: a node that is back before its lease ends finds its cameras unchanged. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    await this.#turn;
    await this.options.etcd.close();
  }

  /**
   * Gives cameras away as fast as others can adopt them; resolves when none is left, or no node adopts the rest.
   * @returns cameras that are still here
   */
  async drain(): Promise<number> {
    this.#isDraining = true;
    this.#presence.changed();
    const { signal } = this.#stopping;
    const hasTakers = () =>
      [...this.#facts.nodes].some(([name, { state }]) => name !== this.options.node && state === 'member');
    while (this.#holdings.ids.size > 0 && hasTakers() && !signal.aborted) {
      await this.#keepLease();
      this.consider();
      await this.#turn;
      await this.#clock.sleep(100, signal);
    }
    const left = this.#holdings.ids.size;
    if (left > 0) return left;
    this.#stopping.abort();
    await this.#ended;
    await this.#lease.end().catch(() => undefined);
    return 0;
  }

  /** Number of cameras this node holds. */
  get cameras(): number {
    return this.#holdings.ids.size;
  }

  get member(): Pick<FleetStatus, 'fleet' | 'node' | 'state'> {
    const { name: fleet, node } = this.options;
    return { fleet, node, state: this.#state };
  }

  status(): FleetStatus {
    const cameras = this.#enrolled().look();
    return statusOf(this.member, this.#facts, cameras, (name) => this.#skews.of(name));
  }

  /** The configuration has changed: the other nodes are notified. */
  changed(): void {
    this.#presence.changed();
    this.consider();
  }

  /** Acts on the facts: one run at a time, each with the newest facts. */
  consider(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#turn = this.#turn.then(async () => {
      const againMs = this.#lookedMs + LOOK_MS - this.#clock.now();
      if (againMs > 0) await this.#clock.sleep(againMs, this.#stopping.signal);
      this.#lookedMs = this.#clock.now();
      this.#isWaiting = false;
      await this.#act().catch((error: unknown) => this.#fail(error));
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#keepLease();
      await this.#clock.sleep(RENEW_MS, signal);
    }
  }

  /** The lease has ended. */
  async #isolate(): Promise<void> {
    if (this.#state === 'joining') return;
    this.#enter('isolated');
    // Another node may have these cameras by now, and they allow only one viewer.
    const single = this.options.cameras().filter(({ isSingle }) => isSingle);
    await this.#holdings.letGo(single.map(({ id }) => id));
  }

  /** Never rejects. */
  async #keepLease(): Promise<void> {
    try {
      const isOld = await this.#lease.renew();
      if (!isOld || this.#state === 'joining') this.#presence.changed();
      const state = this.#isDraining ? 'draining' : 'member';
      if (await this.#presence.show(state)) this.#refusedSinceMs = undefined;
      this.#enter(state);
      this.#faults.clear('etcd answers again');
      if (this.#isRead && this.#presence.isUnheard) this.options.etcd.rewatch();
      this.shared.answers();
      if (!isOld || this.#clock.now() >= this.#againMs) this.consider();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #act(): Promise<void> {
    this.#againMs = 0;
    if (!this.#isRead || !this.#lease.isValid || this.#stopping.signal.aborted) return;
    if (this.#state !== 'member' && this.#state !== 'draining') return;
    const { log, configuration } = this.options;
    // Without the fleet's configuration, this node would take cameras that the fleet has removed.
    const present = configuration();
    if (present === undefined) return;
    const roster = this.#enrolled();
    await this.#holdings.agree(roster);
    const nowMs = this.#clock.now();
    const steps = this.#planning.steps(nowMs);
    this.#presence.balances(steps.isBalancing);
    this.#differing.look(this.#facts.nodes, present);
    if (this.#gathering.lasts(this.#facts.nodes, this.#facts.owners, nowMs)) return;
    const taken = await this.#holdings.take(steps.take);
    if (taken.length > 0) log.info(`took ${listOf(taken)}`);
    this.#holdings.expect(steps.arriving);
    await this.#movement.turn(steps, roster, this.#isDraining);
    this.#againMs = this.#clock.now() + (this.#isDraining ? 0 : AGAIN_MS[steps.waitsFor]);
  }

  /** A picture of the camera is in the spool of this node. */
  captured(frame: CapturedFrame): void {
    this.#movement.captured(frame).catch((error: unknown) => this.#fail(error));
  }

  #enrolled(): Roster {
    return this.#planning.enrolled(this.options.cameras(), [this.#facts, this.#movement]);
  }

  #fail(error: unknown): void {
    const fault = faultRecord(error, 'fleet');
    if (fault.code === NODE_IN_USE) {
      // The keys of a daemon that has just died are removed when its lease has ended.
      this.#refusedSinceMs ??= this.#clock.now();
      if (this.#clock.now() - this.#refusedSinceMs > LEASE_MS + GONE_MS) this.options.onRefused(fault);
      return;
    }
    const sequel = sequelText(this.#state, this.#holdings.ids.size);
    this.#faults.report({ ...fault, message: `${fault.message}; ${sequel}` });
  }

  #enter(state: MemberState): void {
    if (state === this.#state) return;
    const { log, node, name } = this.options;
    this.#state = state;
    this.#againMs = 0;
    log.info(`node "${node}" of fleet "${name}" ${STATE_TEXTS[state]}`);
  }
}

const MACHINE: FleetClock = { now: () => performance.now(), sleep };
