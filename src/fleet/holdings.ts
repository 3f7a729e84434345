/** The cameras this node holds, and their keys in etcd: each created, kept and removed by transaction under the node's lease. */
import type { Etcd } from '../etcd/etcd';
import {
  offered,
  recordOf,
  type Facts,
  type Keys,
  type Offer,
  type OwnerRecord,
  type Present,
} from './facts';
import type { Lease } from './lease';
import type { Arriving } from '../protocol/numbered';

/** Transactions at the same time; each takes 5 to 10 ms. */
const AT_ONCE = 16;

export interface HoldingsOptions {
  readonly etcd: Pick<Etcd, 'transact'>;
  readonly node: string;
  readonly keys: Keys;
  readonly facts: Facts;
  readonly lease: Lease;
  /** Runs the first set, and the second for adoption; resolves when all other cameras have stopped. */
  readonly onHeld: (ids: ReadonlySet<string>, arriving: Arriving) => Promise<void>;
}

export class Holdings {
  readonly #ids = new Set<string>();
  /** Cameras of other nodes that this node may adopt once it captures them. */
  #arriving: ReadonlySet<string> = new Set();
  readonly #takingOver = new Set<string>();

  constructor(private readonly options: HoldingsOptions) {}

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /**
   * Reconciles the held cameras with etcd: keys of an earlier lease of this node are put under the present one,
   * those that etcd has lost are created again, and cameras that another node has are released.
   * @param wanted cameras of the configuration
   * @throws Fault of etcd
   */
  async agree(wanted: Present): Promise<void> {
    const { node, facts, lease } = this.options;
    const own = [...facts.owners.of(node)];
    const before = [...this.#ids].join();
    const lost = [...this.#ids].filter((id) => {
      const owner = facts.owners.get(id);
      return !wanted.has(id) || (owner !== undefined && owner.node !== node);
    });
    const adopted = own.filter(([id, owner]) => wanted.has(id) && owner.lease !== lease.id);
    const dropped = own.filter(([id]) => !wanted.has(id));
    for (const id of lost) this.#ids.delete(id);
    await inTurns(adopted, async ([id, owner]) => this.#adopt(id, owner.lease));
    for (const [id, owner] of facts.owners.of(node))
      if (owner.lease === lease.id && wanted.has(id)) this.#ids.add(id);
    if ([...this.#ids].join() !== before) {
      const stopped = this.#run();
      if (dropped.length > 0) await stopped;
    }
    await inTurns(dropped, async ([id]) => this.#remove(id));
    await this.take([...this.#ids].filter((id) => !facts.owners.has(id)));
  }

  /**
   * Takes unowned cameras.
   * @returns those it got
   * @throws Fault of etcd
   */
  async take(ids: readonly string[]): Promise<string[]> {
    const taken: string[] = [];
    try {
      await inTurns(ids, async (id) => {
        if (!(await this.#create(id)) || this.#ids.has(id)) return;
        this.#ids.add(id);
        taken.push(id);
      });
    } finally {
      if (taken.length > 0) void this.#run();
    }
    return taken;
  }

  /** Stops cameras, and then removes their keys so that others can take them. */
  async giveAway(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#ids.delete(id);
    await this.#run();
    await inTurns(ids, async (id) => this.#remove(id));
  }

  /** Stops cameras whose keys may be another node's; they run again if etcd answers that this node still has the keys. */
  async letGo(ids: readonly string[]): Promise<void> {
    const gone = ids.filter((id) => this.#ids.delete(id));
    if (gone.length > 0) await this.#run();
  }

  /** Permits the node named in `offer` to adopt the camera, or withdraws that; until adopted, the camera runs here. */
  async offer(id: string, offer?: Offer): Promise<void> {
    const { etcd, keys, facts, node, lease } = this.options;
    const [found, under] = [facts.owners.get(id), lease.id];
    // It may have been adopted since.
    if (found?.node !== node || under === undefined) return;
    const key = keys.camera(id);
    const record = offered(recordOf(found), offer);
    const put = { put: key, value: JSON.stringify(record), lease: under };
    const isDone = await etcd.transact([{ key, modRevision: found.revision }], [put]);
    // The watch reports the revision; until then it is not offered a second time.
    if (isDone && facts.owners.get(id) === found) facts.owners.set(id, { ...found, ...record });
  }

  /** Runs the cameras that other nodes offer to this one, in parallel with their owners. */
  expect(ids: readonly string[]): void {
    if ([...this.#arriving].join() === ids.join()) return;
    this.#arriving = new Set(ids);
    void this.#run();
  }

  /**
   * This node captures a camera: if the camera was offered, this node now owns it.
   * @returns the node that had it; undefined if nothing changed
   * @throws Fault of etcd; the next picture tries again
   */
  async captured(id: string): Promise<string | undefined> {
    const { etcd, keys, facts, node, lease } = this.options;
    const [found, under] = [facts.owners.get(id), lease.id];
    const isOffered = this.#arriving.has(id) && found?.to === node && !this.#takingOver.has(id);
    if (!isOffered || under === undefined || !lease.isValid) return undefined;
    this.#takingOver.add(id);
    try {
      const key = keys.camera(id);
      const { node: from, toBecause: because = 'balance' } = found;
      const record: OwnerRecord = { node, sinceMs: Date.now(), from, because, ...facts.costOf(id) };
      const put = { put: key, value: JSON.stringify(record), lease: under };
      if (!(await etcd.transact([{ key, modRevision: found.revision }], [put]))) return undefined;
      if (facts.owners.get(id) === found) facts.owners.set(id, { ...record, revision: 0, lease: under });
      this.#ids.add(id);
      this.#arriving = new Set([...this.#arriving].filter((other) => other !== id));
      void this.#run();
      return from;
    } finally {
      this.#takingOver.delete(id);
    }
  }

  async #run(): Promise<void> {
    const { owners } = this.options.facts;
    const ids = [...this.#arriving].filter((id) => !this.#ids.has(id));
    const arriving = new Map(ids.map((id) => [id, owners.get(id)?.newest]));
    await this.options.onHeld(new Set(this.#ids), arriving);
  }

  async #create(id: string): Promise<boolean> {
    const { etcd, keys, facts, node, lease } = this.options;
    const [key, sinceMs] = [keys.camera(id), Date.now()];
    const under = lease.id;
    if (under === undefined || !lease.isValid) return false;
    const record = { node, sinceMs, ...facts.pastOf(id) };
    const value = JSON.stringify(record);
    const isMine = await etcd.transact([{ key, is: 'absent' }], [{ put: key, value, lease: under }]);
    // The watch will report it; until then it must not be taken a second time.
    if (isMine && !facts.owners.has(id)) facts.owners.set(id, { ...record, revision: 0, lease: under });
    return isMine;
  }

  async #adopt(id: string, before: string | undefined): Promise<void> {
    const { etcd, keys, facts, lease } = this.options;
    const [key, found, under] = [keys.camera(id), facts.owners.get(id), lease.id];
    if (under === undefined || found === undefined) return;
    const value = JSON.stringify(recordOf(found));
    const isMine = await etcd.transact([{ key, lease: before ?? '0' }], [{ put: key, value, lease: under }]);
    // Unless the watch has reported it already, and perhaps later changes.
    if (isMine && facts.owners.get(id) === found) facts.owners.set(id, { ...found, lease: under });
  }

  async #remove(id: string): Promise<void> {
    const { etcd, keys, facts, lease } = this.options;
    const key = keys.camera(id);
    const found = facts.owners.get(id);
    const isRemoved = await etcd.transact([{ key, lease: lease.id ?? '0' }], [{ remove: key }]);
    // An offered camera may belong to another node by now, and the watch may have reported the new owner already.
    if (isRemoved && facts.owners.get(id) === found) facts.disown(id);
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(work));
}
