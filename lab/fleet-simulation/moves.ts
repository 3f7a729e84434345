/** Sees by etcd how cameras move, and what must never be of it. */
import { Keys, type OwnerRecord } from '../../src/fleet/facts';
import type { EtcdEvent } from '../../src/etcd/etcd';

/** Most cameras that begin to move for balance within a minute, in the whole fleet (docs/fleet.md). */
const MOST = 10;
const MINUTE_MS = 60_000;

export class MoveWitness {
  /** Cameras that came to a node, by reason. */
  readonly counts: Record<string, number> = {};
  /** The most that began to move for balance within a minute. */
  most = 0;
  /** Total of cameras that began to move for balance. */
  begun = 0;
  /** When cameras began to, of late. */
  #begunMs: number[] = [];
  readonly #folder: string;
  /** What etcd last said of each camera. */
  readonly owners = new Map<string, OwnerRecord>();
  /** Cameras without an owner, and since when. */
  readonly #removedMs = new Map<string, number>();

  constructor(
    keys: Keys,
    private readonly nowMs: () => number,
    private readonly onViolation: (text: string) => void,
  ) {
    this.#folder = keys.camera('');
  }

  see(events: readonly EtcdEvent[]): void {
    for (const event of events) {
      const key = event.kind === 'put' ? event.entry.key : event.key;
      if (!key.startsWith(this.#folder)) continue;
      const id = key.slice(this.#folder.length);
      if (event.kind === 'delete') this.#removedMs.set(id, this.nowMs());
      else this.#own(id, JSON.parse(event.entry.value) as OwnerRecord);
    }
  }

  #own(id: string, owner: OwnerRecord): void {
    const before = this.owners.get(id);
    const { node, because = 'new', to, toBecause } = owner;
    this.owners.set(id, owner);
    const removedMs = this.#removedMs.get(id);
    this.#removedMs.delete(id);
    if (to !== undefined && toBecause === 'balance' && before?.to === undefined) this.#begins(this.nowMs());
    if (before?.node === node) return;
    this.counts[because] = (this.counts[because] ?? 0) + 1;
    // One that was offered is on its way already.
    if (removedMs !== undefined && because === 'balance' && before?.to === undefined) this.#begins(removedMs);
  }

  #begins(atMs: number): void {
    this.begun++;
    // What was given away is seen when another node has taken it: some later ones are known by then.
    this.#begunMs = [...this.#begunMs.filter((ms) => ms > this.nowMs() - 2 * MINUTE_MS), atMs];
    const from = (startMs: number) =>
      this.#begunMs.filter((ms) => ms >= startMs && ms < startMs + MINUTE_MS).length;
    const within = Math.max(...this.#begunMs.map(from));
    this.most = Math.max(this.most, within);
    if (within > MOST) this.onViolation(`${within} cameras began to move for balance within a minute`);
  }
}
