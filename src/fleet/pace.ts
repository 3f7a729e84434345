/** What a node remembers of the past to be slow enough: moves of the last minute, and cameras that nobody owns. Pure. */

/** Moves for balance, within a minute. */
const MOVES = 10;
const MINUTE_MS = 60_000;

export class Moves {
  #atMs: number[] = [];

  /** How many more there may be now. */
  left(nowMs: number): number {
    this.#atMs = this.#atMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
    return Math.max(0, MOVES - this.#atMs.length);
  }

  made(count: number, nowMs: number): void {
    for (let i = 0; i < count; i++) this.#atMs.push(nowMs);
  }
}

export class Orphans {
  readonly #sinceMs = new Map<string, number>();

  look(
    cameras: readonly { readonly id: string }[],
    owners: ReadonlyMap<string, unknown>,
    nowMs: number,
  ): void {
    for (const { id } of cameras)
      if (owners.has(id)) this.#sinceMs.delete(id);
      else if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
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
