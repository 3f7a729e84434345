/** This node's record in etcd: written when it has changed and every few seconds, and expected in its own watch. */
import type { Operation } from '../etcd/etcd';
import type { Facts, Keys, NodeRecord } from './facts';
import type { Lease } from './lease';
import type { FleetOptions } from './options';
import { parsedNode } from './records';
import { nameTaken, nodeInUse } from './sentences';

/** How often the node writes its record, and how long its own watch may take to report it. */
const BEAT_MS = 5000;
const ECHO_MS = 2000;

export type PresenceOptions = Pick<
  FleetOptions,
  'etcd' | 'node' | 'holder' | 'capacity' | 'version' | 'configuration' | 'costs'
>;

export class Presence {
  #beat = 0;
  #beatAtMs = -Infinity;
  #isBalancing = false;

  constructor(
    private readonly options: PresenceOptions,
    private readonly own: {
      readonly keys: Keys;
      readonly facts: Facts;
      readonly lease: Pick<Lease, 'id'>;
      readonly now: () => number;
    },
  ) {}

  /** The record is written with the next renewal of the lease. */
  changed(): void {
    this.#beatAtMs = -Infinity;
  }

  /** Sets whether cameras have to move for this node's balance; the other nodes continue until none has to. */
  balances(isBalancing: boolean): void {
    if (isBalancing !== this.#isBalancing) this.changed();
    this.#isBalancing = isBalancing;
  }

  /**
   * Writes the node's record under its lease if due.
   * @returns whether the key is known to be this node's
   * @throws Fault `node-in-use` if another daemon has this name
   */
  async show(state: NodeRecord['state']): Promise<boolean> {
    const { keys, lease, now } = this.own;
    if (now() - this.#beatAtMs <= BEAT_MS) return true;
    const { etcd, node, holder, capacity, version, configuration, costs } = this.options;
    const key = keys.node(node);
    const record: NodeRecord = {
      ...{ id: holder.id, address: holder.name, capacity, version, configuration: configuration() ?? 'none' },
      ...{ state, ...(this.#isBalancing ? { isBalancing: true } : {}), ...(costs && { costs: costs() }) },
      ...{ beat: this.#beat + 1, clockMs: Date.now() },
    };
    const under = lease.id;
    if (under === undefined) return false;
    const put = { put: key, value: JSON.stringify(record), lease: under };
    // No other node knows this lease: keys under it are this node's.
    const isStillOwn = await etcd.transact([{ key, lease: under }], [put]);
    if (!isStillOwn && !(await this.#claim(key, put))) return false;
    this.#beat++;
    this.#beatAtMs = now();
    return true;
  }

  /** Takes the key if it is free, or was this node's before its restart. */
  async #claim(key: string, put: Operation): Promise<boolean> {
    const { etcd, node, holder } = this.options;
    const found = await etcd.get(key);
    if (found === undefined) return etcd.transact([{ key, is: 'absent' }], [put]);
    const other = parsedNode(found.value);
    if (other === undefined) throw nameTaken(node, key);
    if (other.id !== holder.id) throw nodeInUse(node, other.address);
    return etcd.transact([{ key, modRevision: found.modRevision }], [put]);
  }

  /** Whether the watch has not reported this node's own record: on a frozen or cut-off server it is silent. */
  get isUnheard(): boolean {
    const { facts, now } = this.own;
    const heard = facts.nodes.get(this.options.node)?.beat ?? 0;
    return heard < this.#beat && now() - this.#beatAtMs > ECHO_MS;
  }
}
