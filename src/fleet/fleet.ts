/** A node of a fleet: joins, keeps its lease, sees the others, and holds the cameras that are its own. */
import { sleep } from '../clock/sleep';
import { faultRecord } from '../fault/fault';
import { RecurringFault } from '../fault/recurring';
import { Differing } from './differing';
import { Facts, Keys, type NodeRecord } from './facts';
import { Holdings } from './holdings';
import { Lease, LEASE_MS, RENEW_MS } from './lease';
import { Movement } from './movement';
import type { FleetOptions } from './options';
import { Orphans } from './pace';
import { statusOf, type FleetStatus, type MemberState } from './status';
import { SharedConfiguration } from './shared-configuration';
import { stepsOf } from './steps';
import { listOf, NODE_IN_USE, nodeInUse, sequelWords, STATE_WORDS } from './words';

/** How often the node writes what it is, and how long its own watch may take to tell it. */
const BEAT_MS = 5000;
const ECHO_MS = 2000;
/** Beyond the lease, until a dead node's keys have gone. */
const GONE_MS = 3000;

export class Fleet {
  readonly #stopping = new AbortController();
  readonly #keys: Keys;
  readonly #facts: Facts;
  readonly #lease: Lease;
  readonly #holdings: Holdings;
  readonly #faults: RecurringFault;
  #ended: Promise<void> = Promise.resolve();
  #state: MemberState = 'joining';
  #isDraining = false;
  /** All keys have been read. */
  #isRead = false;
  #beat = 0;
  #beatAtMs = -Infinity;
  readonly #movement: Movement;
  readonly #orphans = new Orphans();
  #turn: Promise<void> = Promise.resolve();
  #isWaiting = false;
  readonly #differing: Differing;
  /** The cameras that all nodes have. */
  readonly shared: SharedConfiguration;
  /** Since when another daemon is seen under this node's name. */
  #refusedSinceMs: number | undefined;

  constructor(private readonly options: FleetOptions) {
    const { etcd, name, node, log, onHeld, secret } = options;
    this.#keys = new Keys(name);
    this.shared = new SharedConfiguration({ etcd, key: this.#keys.configuration, fleet: name, node, secret });
    this.#facts = new Facts(this.#keys);
    this.#lease = new Lease(etcd, now);
    this.#faults = new RecurringFault(log);
    this.#differing = new Differing(log, now);
    const [keys, facts, lease] = [this.#keys, this.#facts, this.#lease];
    this.#holdings = new Holdings({ etcd, node, keys, facts, lease, onHeld });
    this.#movement = new Movement({ node, facts: this.#facts, holdings: this.#holdings, log, now });
  }

  /** Begins; waits for nothing. */
  start(): void {
    this.options.etcd.watch(this.#keys.prefix, {
      onSnapshot: (entries) => {
        this.#facts.replace(entries);
        this.#isRead = true;
        this.shared.replace(entries);
        this.consider();
      },
      onEvents: (events) => {
        this.#facts.apply(events);
        this.shared.apply(events);
        this.consider();
      },
      onFault: () => undefined,
    });
    this.#ended = this.#run();
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
      await sleep(100, signal);
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
    return statusOf(this.member, this.#facts, this.options.cameras());
  }

  /** The configuration has changed: the others are told. */
  changed(): void {
    this.#beatAtMs = -Infinity;
    this.consider();
  }

  /** Does what the facts ask for: one look at a time, and never behind a newer fact. */
  consider(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#turn = this.#turn.then(async () => {
      this.#isWaiting = false;
      await this.#act().catch((error: unknown) => this.#fail(error));
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#keepLease();
      await sleep(RENEW_MS, signal);
    }
  }

  /** Never rejects. */
  async #keepLease(): Promise<void> {
    try {
      const isOld = await this.#lease.renew();
      if (!isOld || this.#state === 'joining') this.#beatAtMs = -Infinity;
      if (now() - this.#beatAtMs > BEAT_MS) await this.#introduce();
      this.#enter(this.#isDraining ? 'draining' : 'member');
      this.#faults.clear('etcd answers again');
      this.#listen();
      this.shared.answers();
      this.consider();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#lease.isValid || this.#state === 'joining') return;
    this.#enter('isolated');
    // Another node has them by now, and they allow one viewer.
    const single = this.options.cameras().filter(({ isSingle }) => isSingle);
    await this.#holdings.letGo(single.map(({ id }) => id));
  }

  /** Says what this node is, under its lease. */
  async #introduce(): Promise<void> {
    const { etcd, node, holder, capacity, version, configuration } = this.options;
    const key = this.#keys.node(node);
    const found = await etcd.get(key);
    const other = found && (JSON.parse(found.value) as NodeRecord);
    if (other !== undefined && other.id !== holder.id) throw nodeInUse(node, other.address);
    const record: NodeRecord = {
      ...{ id: holder.id, address: holder.name, capacity, version, configuration: configuration() ?? 'none' },
      state: this.#isDraining ? 'draining' : 'member',
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
    this.#beatAtMs = now();
  }

  /** A watch on a frozen or cut server is silent: this node does not hear of itself. */
  #listen(): void {
    const heard = this.#facts.nodes.get(this.options.node)?.beat ?? 0;
    if (this.#isRead && heard < this.#beat && now() - this.#beatAtMs > ECHO_MS) this.options.etcd.rewatch();
  }

  async #act(): Promise<void> {
    if (!this.#isRead || !this.#lease.isValid || this.#stopping.signal.aborted) return;
    if (this.#state !== 'member' && this.#state !== 'draining') return;
    const { node, cameras, log, configuration } = this.options;
    // Until then it would take cameras that are no longer the fleet's.
    const present = configuration();
    if (present === undefined) return;
    const wanted = cameras();
    await this.#holdings.agree(new Set(wanted.map(({ id }) => id)));
    this.#orphans.look(wanted, this.#facts.owners, now());
    const { take, moves, arriving } = stepsOf(this.#facts, {
      ...{ node, cameras: wanted },
      orphanedMs: (id) => this.#orphans.ageMs(id, now()),
    });
    this.#differing.look(this.#facts.nodes, present);
    const taken = await this.#holdings.take(take);
    if (taken.length > 0) log.info(`took ${listOf(taken)}`);
    this.#holdings.expect(arriving);
    await this.#movement.turn(moves, wanted, this.#isDraining);
  }

  /** A picture of the camera is in the spool of this node. */
  captured(camera: string): void {
    this.#movement.captured(camera).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    const fault = faultRecord(error, 'fleet');
    if (fault.code === NODE_IN_USE) {
      // One that has just died is gone when its lease has ended.
      this.#refusedSinceMs ??= now();
      if (now() - this.#refusedSinceMs > LEASE_MS + GONE_MS) this.options.onRefused(fault);
      return;
    }
    const sequel = sequelWords(this.#state, this.#holdings.ids.size);
    this.#faults.report({ ...fault, message: `${fault.message}; ${sequel}` });
  }

  #enter(state: MemberState): void {
    if (state === this.#state) return;
    const { log, node, name } = this.options;
    this.#state = state;
    log.info(`node "${node}" of fleet "${name}" ${STATE_WORDS[state]}`);
  }
}

function now(): number {
  return performance.now();
}
