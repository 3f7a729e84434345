/** etcd as its nodes see it: revisions, leases, transactions and watches, on simulated time, with or without a quorum. */
import type { Compare, KeyValue, EtcdEvent, Operation } from '../../src/etcd/etcd';
import type { SimulatedClock } from './clock';

/** etcd removes the keys of a lease so much later than it ends (measured, docs/fleet.md). */
const REVOKE_LAG_MS = 250;

interface Lease {
  readonly ttlMs: number;
  expiresMs: number;
  readonly keys: Set<string>;
}

/** @param isIdle a node has only sent a sign of life */
export type Change = (events: readonly EtcdEvent[], isIdle: boolean) => void;

export class SimulatedEtcd {
  revision = 1;
  requests = 0;
  readonly entries = new Map<string, KeyValue>();
  readonly #leases = new Map<string, Lease>();
  readonly #watches = new Set<Change>();
  #nextLease = 1;
  #hasQuorum = true;

  constructor(private readonly clock: SimulatedClock) {}

  get hasQuorum(): boolean {
    return this.#hasQuorum;
  }

  /** A new leader gives every lease its whole time. */
  set hasQuorum(has: boolean) {
    if (has && !this.#hasQuorum) for (const [id, lease] of this.#leases) this.#extend(id, lease);
    this.#hasQuorum = has;
  }

  grant(ttlSeconds: number): string {
    const [id, lease] = [
      String(this.#nextLease++),
      { ttlMs: 1000 * ttlSeconds, expiresMs: 0, keys: new Set<string>() },
    ];
    this.#leases.set(id, lease);
    this.#extend(id, lease);
    return id;
  }

  keepAlive(id: string): boolean {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.expiresMs = this.clock.nowMs + lease.ttlMs;
    return lease !== undefined;
  }

  revoke(id: string): void {
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    const events = [...(lease?.keys ?? [])].flatMap((key) => this.#remove(key));
    this.#tell(events);
  }

  transact(conditions: readonly Compare[], operations: readonly Operation[]): boolean {
    if (!conditions.every((condition) => this.#holds(condition))) return false;
    const isIdle = operations.every((operation) => 'put' in operation && this.#isBeat(operation));
    const events = operations.flatMap((operation) =>
      'remove' in operation ? this.#remove(operation.remove) : [this.#put(operation)],
    );
    this.#tell(events, isIdle);
    return true;
  }

  /** @returns ends it */
  watch(onChange: Change): () => void {
    this.#watches.add(onChange);
    return () => this.#watches.delete(onChange);
  }

  /** The lease is looked at when it may have ended, not at each renewal. */
  #extend(id: string, lease: Lease): void {
    lease.expiresMs = this.clock.nowMs + lease.ttlMs;
    const look = (): void => {
      if (this.#leases.get(id) !== lease || !this.#hasQuorum) return;
      const leftMs = lease.expiresMs + REVOKE_LAG_MS - this.clock.nowMs;
      if (leftMs > 0) this.clock.after(leftMs, look);
      else this.revoke(id);
    };
    this.clock.after(lease.ttlMs + REVOKE_LAG_MS, look);
  }

  #holds(condition: Compare): boolean {
    const found = this.entries.get(condition.key);
    if ('is' in condition) return found === undefined;
    if ('lease' in condition) return (found?.lease ?? '0') === condition.lease && found !== undefined;
    return found?.modRevision === condition.modRevision;
  }

  #put({ put: key, value, lease }: Extract<Operation, { put: string }>): EtcdEvent {
    const before = this.entries.get(key);
    if (before?.lease !== undefined) this.#leases.get(before.lease)?.keys.delete(key);
    if (lease !== undefined) this.#leases.get(lease)?.keys.add(key);
    const modRevision = this.revision + 1;
    const entry: KeyValue = {
      ...{ key, value, modRevision, createRevision: before?.createRevision ?? modRevision },
      ...(lease !== undefined && { lease }),
    };
    this.entries.set(key, entry);
    return { kind: 'put', entry };
  }

  #remove(key: string): EtcdEvent[] {
    const before = this.entries.get(key);
    if (before?.lease !== undefined) this.#leases.get(before.lease)?.keys.delete(key);
    return this.entries.delete(key) ? [{ kind: 'delete', key }] : [];
  }

  #isBeat({ put: key, value }: Extract<Operation, { put: string }>): boolean {
    const before = this.entries.get(key);
    return before !== undefined && withoutBeat(before.value) === withoutBeat(value);
  }

  #tell(events: readonly EtcdEvent[], isIdle = false): void {
    if (events.length === 0) return;
    this.revision++;
    for (const watch of this.#watches) watch(events, isIdle);
  }
}

function withoutBeat(value: string): string {
  return value.replace(/"(?:beat|clockMs)":\d+/g, '');
}
