/** A node of a fleet: joins, keeps its lease, sees the others, and holds the cameras that are its own. */
import { sleep } from '../clock/sleep';
import { faultRecord } from '../fault/fault';
import { RecurringFault } from '../fault/recurring';
import { Facts, Keys, type NodeRecord } from './facts';
import { Holdings } from './holdings';
import { Lease, LEASE_MS, RENEW_MS } from './lease';
import { Movement } from './movement';
import type { FleetClock, FleetOptions } from './options';
import { Gathering, Orphans } from './pace';
import { statusOf, type FleetStatus, type MemberState } from './status';
import { stepsOf } from './steps';
import { weighed } from './weights';
import { differingWords, listOf, NODE_IN_USE, nodeInUse, sequelWords, STATE_WORDS } from './words';

/** How often the node writes what it is, and how long its own watch may take to tell it. */
const BEAT_MS = 5000;
const ECHO_MS = 2000;
/** Facts change in bursts, such as when a node dies: they are looked at together. */
const LOOK_MS = 100;
/** Beyond the lease, until a dead node's keys have gone. */
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
  #beat = 0;
  #beatAtMs = -Infinity;
  readonly #movement: Movement;
  readonly #orphans = new Orphans();
  readonly #gathering = new Gathering();
  readonly #clock: FleetClock;
  /** Nothing is to be done until something changes. */
  #isSettled = false;
  #turn: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #lookedMs = -Infinity;
  #warned: string | undefined;
  /** Since when another daemon is seen under this node's name. */
  #refusedSinceMs: number | undefined;

  constructor(private readonly options: FleetOptions) {
    const { etcd, name, node, log, onHeld, clock = MACHINE } = options;
    const { now } = (this.#clock = clock);
    this.#keys = new Keys(name);
    this.#facts = new Facts(this.#keys);
    this.#lease = new Lease(etcd, now);
    this.#faults = new RecurringFault(log);
    this.#holdings = new Holdings({
      etcd,
      node,
      keys: this.#keys,
      facts: this.#facts,
      lease: this.#lease,
      onHeld,
    });
    this.#movement = new Movement({ node, facts: this.#facts, holdings: this.#holdings, log, now });
  }

  /** Begins; waits for nothing. */
  start(): void {
    this.options.etcd.watch(this.#keys.prefix, {
      onSnapshot: (entries) => {
        this.#facts.replace(entries);
        this.#isRead = true;
        this.consider();
      },
      onEvents: (events) => {
        if (this.#facts.apply(events)) this.consider();
      },
      onFault: () => undefined,
    });
    const guard = this.#lease.guard(this.#clock, this.#stopping.signal, () => this.#isolate());
    this.#ended = Promise.all([this.#run(), guard]);
  }

  /** Ends without a word to the others: a node that is back before its lease ends finds its cameras as they were. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    await this.#turn;
    await this.options.etcd.close();
  }

  /**
   * Gives all cameras away, as others are there to take them; resolves when none is left, or nobody takes them.
   * @returns cameras that are still here
   */
  async drain(): Promise<number> {
    this.#isDraining = true;
    this.#beatAtMs = -Infinity;
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

  /** How many this node holds. */
  get cameras(): number {
    return this.#holdings.ids.size;
  }

  get member(): Pick<FleetStatus, 'fleet' | 'node' | 'state'> {
    const { name: fleet, node } = this.options;
    return { fleet, node, state: this.#state };
  }

  status(): FleetStatus {
    return statusOf(this.member, this.#facts, weighed(this.options.cameras(), this.#facts));
  }

  /** Does what the facts ask for: one look at a time, and never behind a newer fact. */
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
    // Another node has them by now, and they allow one viewer.
    const single = this.options.cameras().filter(({ isSingle }) => isSingle);
    await this.#holdings.letGo(single.map(({ id }) => id));
  }

  /** Never rejects. */
  async #keepLease(): Promise<void> {
    try {
      const isOld = await this.#lease.renew();
      if (!isOld || this.#state === 'joining') this.#beatAtMs = -Infinity;
      if (this.#clock.now() - this.#beatAtMs > BEAT_MS) await this.#introduce();
      this.#enter(this.#isDraining ? 'draining' : 'member');
      this.#faults.clear('etcd answers again');
      this.#listen();
      if (!this.#isSettled || !isOld) this.consider();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Says what this node is, under its lease. */
  async #introduce(): Promise<void> {
    const { etcd, node, holder, capacity, version, configuration, costs } = this.options;
    const key = this.#keys.node(node);
    const found = await etcd.get(key);
    const other = found && (JSON.parse(found.value) as NodeRecord);
    if (other !== undefined && other.id !== holder.id) throw nodeInUse(node, other.address);
    const record: NodeRecord = {
      ...{ id: holder.id, address: holder.name, capacity, version, configuration: configuration() },
      state: this.#isDraining ? 'draining' : 'member',
      ...(costs && { costs: costs() }),
      beat: this.#beat + 1,
    };
    const lease = this.#lease.id;
    if (lease === undefined) return;
    const condition =
      found === undefined ? { key, is: 'absent' as const } : { key, modRevision: found.modRevision };
    const isMine = await etcd.transact([condition], [{ put: key, value: JSON.stringify(record), lease }]);
    if (!isMine) return;
    this.#refusedSinceMs = undefined;
    this.#beat++;
    this.#beatAtMs = this.#clock.now();
  }

  /** A watch on a frozen or cut server is silent: this node does not hear of itself. */
  #listen(): void {
    const heard = this.#facts.nodes.get(this.options.node)?.beat ?? 0;
    if (this.#isRead && heard < this.#beat && this.#clock.now() - this.#beatAtMs > ECHO_MS)
      this.options.etcd.rewatch();
  }

  async #act(): Promise<void> {
    this.#isSettled = false;
    if (!this.#isRead || !this.#lease.isValid || this.#stopping.signal.aborted) return;
    if (this.#state !== 'member' && this.#state !== 'draining') return;
    const { node, cameras, log } = this.options;
    const wanted = weighed(cameras(), this.#facts);
    await this.#holdings.agree(new Set(wanted.map(({ id }) => id)));
    const nowMs = this.#clock.now();
    this.#orphans.look(wanted, this.#facts.owners, nowMs);
    const { take, moves, arriving, isSettled } = stepsOf(this.#facts, {
      ...{ node, cameras: wanted },
      orphanedMs: (id) => this.#orphans.ageMs(id, nowMs),
    });
    this.#compare();
    if (this.#gathering.lasts(this.#facts.nodes, this.#facts.owners, nowMs)) return;
    const taken = await this.#holdings.take(take);
    if (taken.length > 0) log.info(`took ${listOf(taken)}`);
    this.#holdings.expect(arriving);
    await this.#movement.turn(moves, wanted, this.#isDraining);
    this.#isSettled = isSettled && !this.#isDraining;
  }

  /** A picture of the camera is in the spool of this node. */
  captured(camera: string): void {
    this.#movement.captured(camera).catch((error: unknown) => this.#fail(error));
  }

  /** Warns once of each other configuration. */
  #compare(): void {
    const words = differingWords(this.#facts.nodes, this.options.configuration());
    if (words !== this.#warned && words !== undefined)
      this.options.log.warn(words, { code: 'fleet-configuration' });
    this.#warned = words;
  }

  #fail(error: unknown): void {
    const fault = faultRecord(error, 'fleet');
    if (fault.code === NODE_IN_USE) {
      // One that has just died is gone when its lease has ended.
      this.#refusedSinceMs ??= this.#clock.now();
      if (this.#clock.now() - this.#refusedSinceMs > LEASE_MS + GONE_MS) this.options.onRefused(fault);
      return;
    }
    const sequel = sequelWords(this.#state, this.#holdings.ids.size);
    this.#faults.report({ ...fault, message: `${fault.message}; ${sequel}` });
  }

  #enter(state: MemberState): void {
    if (state === this.#state) return;
    const { log, node, name } = this.options;
    this.#state = state;
    this.#isSettled = false;
    log.info(`node "${node}" of fleet "${name}" ${STATE_WORDS[state]}`);
  }
}

const MACHINE: FleetClock = { now: () => performance.now(), sleep };
