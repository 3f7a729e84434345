/** What a node remembers to limit its pace: cameras that could have moved, and unowned cameras. Pure. */
import type { Present } from './facts';

const MINUTE_MS = 60_000;
/** How long a camera is passed over that did not move within a minute of its turn: its new node may not reach it. */
const PASSED_OVER_MS = 600_000;

/** Which cameras of the whole fleet are the next to move for balance, as one of its nodes sees it. */
export class MoveQueue {
  /** By camera, since when it could have moved; a camera that is passed over keeps that time. */
  readonly #freeMs = new Map<string, number>();

  /** Forgets all cameras but these. */
  keep(present: Present): void {
    for (const id of this.#freeMs.keys()) if (!present.has(id)) this.#freeMs.delete(id);
  }

  /**
   * @param waiting all cameras of the fleet that belong elsewhere and are not moving yet, in an order that is the same on all nodes
   * @param permits the free ones
   * @returns the permit to use for each camera that may begin to move now; nodes that know the same facts use
   * different ones
   */
  next(waiting: readonly string[], permits: readonly string[], nowMs: number): ReadonlyMap<string, string> {
    const known = new Set(waiting);
    for (const [id, sinceMs] of this.#freeMs)
      if (!known.has(id) || nowMs - sinceMs > PASSED_OVER_MS) this.#freeMs.delete(id);
    const isOver = (id: string) => nowMs - (this.#freeMs.get(id) ?? nowMs) > MINUTE_MS;
    const first = waiting.filter((id) => !isOver(id)).slice(0, permits.length);
    const next = new Map(first.map((id, i) => [id, permits[i] as string]));
    // Other cameras came first: the camera waits for a permit, and this time does not count.
    for (const id of this.#freeMs.keys()) if (!next.has(id) && !isOver(id)) this.#freeMs.delete(id);
    for (const id of first) if (!this.#freeMs.has(id)) this.#freeMs.set(id, nowMs);
    return next;
  }
}

export class Orphans {
  readonly #sinceMs = new Map<string, number>();

  /** @param unowned all unowned cameras */
  look(unowned: readonly string[], nowMs: number): void {
    const known = new Set(unowned);
    for (const id of this.#sinceMs.keys()) if (!known.has(id)) this.#sinceMs.delete(id);
    for (const id of unowned) if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
  }

  /** For how long a camera has been unowned, milliseconds; 0 for an owned one. */
  ageMs(id: string, nowMs: number): number {
    return nowMs - (this.#sinceMs.get(id) ?? nowMs);
  }
}

/** Nodes of a starting fleet join within this time of each other (the delay that Kafka gives a new consumer group). */
const GATHER_MS = 3000;

export class Gathering {
  #known: ReadonlySet<string> = new Set();
  #joinedMs = -Infinity;

  /** Whether no camera is owned yet and a node has just joined: the first would take all cameras, and the others none. */
  lasts(nodes: ReadonlyMap<string, unknown>, owners: ReadonlyMap<string, unknown>, nowMs: number): boolean {
    if ([...nodes.keys()].some((name) => !this.#known.has(name))) this.#joinedMs = nowMs;
    this.#known = new Set(nodes.keys());
    return owners.size === 0 && nowMs - this.#joinedMs < GATHER_MS;
  }
}
