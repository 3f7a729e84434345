/** What a node remembers of the past to be slow enough: moves of the last minute, and cameras that nobody owns. Pure. */
import type { OwnerRecord, Present } from './facts';

/** Moves for balance that the whole fleet begins within a minute. */
const MOVES = 10;
const MINUTE_MS = 60_000;
/** How long a camera is passed over that could have moved for a minute, and did not: its new node may not reach it. */
const PASSED_OVER_MS = 600_000;

/** Moves for balance of the whole fleet, as one of its nodes sees them. */
export class Moves {
  /** By camera, when its move was first seen. */
  readonly #begunMs = new Map<string, number>();
  readonly #nodes = new Map<string, string>();
  /** By camera, since when it might begin to move. */
  readonly #freeMs = new Map<string, number>();

  /**
   * Looks for moves that have begun, on whatever node.
   * @param changed cameras whose records have changed since
   */
  look(owners: ReadonlyMap<string, OwnerRecord>, changed: Iterable<string>, nowMs: number): void {
    for (const id of changed) {
      const owner = owners.get(id);
      if (owner === undefined) continue;
      const { node, because, to, toBecause } = owner;
      const before = this.#nodes.get(id) ?? node;
      if ((before !== node && because === 'balance') || (to !== undefined && toBecause === 'balance'))
        this.begins(id, nowMs);
      this.#nodes.set(id, node);
    }
    for (const [id, sinceMs] of this.#begunMs)
      if (nowMs - sinceMs >= MINUTE_MS && owners.get(id)?.to === undefined) this.#begunMs.delete(id);
  }

  /** Remembers no cameras but these. */
  keep(present: Present): void {
    for (const past of [this.#begunMs, this.#nodes, this.#freeMs])
      for (const id of past.keys()) if (!present.has(id)) past.delete(id);
  }

  begins(camera: string, nowMs: number): void {
    if (!this.#begunMs.has(camera)) this.#begunMs.set(camera, nowMs);
  }

  /**
   * Which cameras may begin to move now. The nodes know of each other's moves by etcd, a little later than of their own.
   * @param waiting all in the fleet that belong elsewhere, in an order that is the same for all nodes
   */
  free(waiting: readonly string[], nowMs: number): ReadonlySet<string> {
    const isOver = (id: string) => {
      const ms = nowMs - (this.#freeMs.get(id) ?? nowMs);
      return ms > MINUTE_MS && ms <= PASSED_OVER_MS;
    };
    const next = waiting.filter((id) => !this.#begunMs.has(id) && !isOver(id));
    const free = new Set(next.slice(0, Math.max(0, MOVES - this.#begunMs.size)));
    const known = new Set(waiting);
    for (const [id, sinceMs] of this.#freeMs)
      if (!known.has(id) || this.#begunMs.has(id) || nowMs - sinceMs > PASSED_OVER_MS)
        this.#freeMs.delete(id);
    for (const id of free) if (!this.#freeMs.has(id)) this.#freeMs.set(id, nowMs);
    return free;
  }
}

export class Orphans {
  readonly #sinceMs = new Map<string, number>();

  /** @param unowned all that nobody owns */
  look(unowned: readonly string[], nowMs: number): void {
    const known = new Set(unowned);
    for (const id of this.#sinceMs.keys()) if (!known.has(id)) this.#sinceMs.delete(id);
    for (const id of unowned) if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
  }

  /** For how long nobody has owned a camera, milliseconds; 0 of one that is owned. */
  ageMs(id: string, nowMs: number): number {
    return nowMs - (this.#sinceMs.get(id) ?? nowMs);
  }
}

/** Nodes of a fleet that starts come within this time of each other (the delay that Kafka gives a new consumer group). */
const GATHER_MS = 3000;

export class Gathering {
  #known: ReadonlySet<string> = new Set();
  #joinedMs = -Infinity;

  /** Nobody owns a camera yet, and a node has just joined: the first would take all cameras, and the others none. */
  lasts(nodes: ReadonlyMap<string, unknown>, owners: ReadonlyMap<string, unknown>, nowMs: number): boolean {
    if ([...nodes.keys()].some((name) => !this.#known.has(name))) this.#joinedMs = nowMs;
    this.#known = new Set(nodes.keys());
    return owners.size === 0 && nowMs - this.#joinedMs < GATHER_MS;
  }
}
