/** The cameras this node holds, and their keys in etcd: each created, kept and removed by transaction under the node's lease. */
import type { Etcd } from '../etcd/etcd';
import type { Facts, Keys } from './facts';
import type { Lease } from './lease';

/** Transactions at the same time; each takes 5 to 10 ms. */
const AT_ONCE = 16;

export interface HoldingsOptions {
  readonly etcd: Pick<Etcd, 'transact'>;
  readonly node: string;
  readonly keys: Keys;
  readonly facts: Facts;
  readonly lease: Lease;
  readonly onHeld: (ids: ReadonlySet<string>) => Promise<void>;
}

export class Holdings {
  readonly #ids = new Set<string>();

  constructor(private readonly options: HoldingsOptions) {}

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /**
   * Brings what is held and what etcd says together: keys of an earlier lease of this node are put under the present one,
   * those that etcd has lost are created again, and what another node has is let go.
   * @param wanted cameras of the configuration
   * @throws Fault of etcd
   */
  async agree(wanted: ReadonlySet<string>): Promise<void> {
    const { node, facts, lease, onHeld } = this.options;
    const before = [...this.#ids].join();
    const lost = [...this.#ids].filter((id) => {
      const owner = facts.owners.get(id);
      return !wanted.has(id) || (owner !== undefined && owner.node !== node);
    });
    const adopted = [...facts.owners].filter(
      ([id, owner]) => owner.node === node && wanted.has(id) && owner.lease !== lease.id,
    );
    const dropped = [...facts.owners].filter(([id, owner]) => owner.node === node && !wanted.has(id));
    for (const id of lost) this.#ids.delete(id);
    await inTurns(adopted, async ([id, owner]) => this.#adopt(id, owner.lease));
    for (const [id, owner] of facts.owners)
      if (owner.node === node && owner.lease === lease.id && wanted.has(id)) this.#ids.add(id);
    if ([...this.#ids].join() !== before) {
      const stopped = onHeld(new Set(this.#ids));
      if (dropped.length > 0) await stopped;
    }
    await inTurns(dropped, async ([id]) => this.#remove(id));
    await this.take([...this.#ids].filter((id) => !facts.owners.has(id)));
  }

  /**
   * Takes cameras that nobody owns.
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
      if (taken.length > 0) void this.options.onHeld(new Set(this.#ids));
    }
    return taken;
  }

  /** Stops cameras, and then lets others take them. */
  async giveAway(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#ids.delete(id);
    await this.options.onHeld(new Set(this.#ids));
    await inTurns(ids, async (id) => this.#remove(id));
  }

  async #create(id: string): Promise<boolean> {
    const { etcd, keys, facts, node, lease } = this.options;
    const [key, sinceMs] = [keys.camera(id), Date.now()];
    const under = lease.id;
    if (under === undefined || !lease.isValid) return false;
    const record = { node, sinceMs, ...facts.pastOf(id) };
    const value = JSON.stringify(record);
    const isMine = await etcd.transact([{ key, is: 'absent' }], [{ put: key, value, lease: under }]);
    // The watch will tell; until then it must not be taken a second time.
    if (isMine && !facts.owners.has(id)) facts.owners.set(id, { ...record, token: 0, lease: under });
    return isMine;
  }

  async #adopt(id: string, before: string | undefined): Promise<void> {
    const { etcd, keys, facts, lease } = this.options;
    const [key, found, under] = [keys.camera(id), facts.owners.get(id), lease.id];
    if (under === undefined || found === undefined) return;
    const { token: _, lease: __, ...record } = found;
    const value = JSON.stringify(record);
    const isMine = await etcd.transact([{ key, lease: before ?? '0' }], [{ put: key, value, lease: under }]);
    // Unless the watch has told already, and perhaps what came after.
    if (isMine && facts.owners.get(id) === found) facts.owners.set(id, { ...found, lease: under });
  }

  async #remove(id: string): Promise<void> {
    const { etcd, keys, facts, lease } = this.options;
    const key = keys.camera(id);
    const found = facts.owners.get(id);
    await etcd.transact([{ key, lease: lease.id ?? '0' }], [{ remove: key }]);
    // The watch may have told already that another node has taken it.
    if (facts.owners.get(id) === found) facts.disown(id);
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(work));
}
