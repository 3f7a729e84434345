/** The newest lines of the log, in memory, for later requests. */

/** Maximum number of lines kept of one actor. */
const MAX_ACTOR_LINES = 1000;
/** Bytes kept of one actor, and of all together: lines of the actor with the most are dropped. */
const MAX_ACTOR_BYTES = 256 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;
/** The actor whose lines report the fate of the others. */
const SUPERVISOR = 'supervisor';

interface KeptLine {
  /** Number of the line among all, to restore the order of several actors' lines. */
  readonly number: number;
  readonly line: string;
  readonly bytes: number;
}

interface Shelf {
  lines: KeptLine[];
  bytes: number;
}

type Follower = (actor: string, line: string) => void;

export class KeptLines {
  readonly #shelves = new Map<string, Shelf>();
  readonly #followers = new Set<Follower>();
  #next = 0;
  #bytes = 0;

  /** Keeps a line (without its line end) and passes it to all followers. */
  add(actor: string, line: string): void {
    const shelf = this.#shelves.get(actor) ?? { lines: [], bytes: 0 };
    this.#shelves.set(actor, shelf);
    const bytes = Buffer.byteLength(line);
    shelf.lines.push({ number: this.#next++, line, bytes });
    shelf.bytes += bytes;
    this.#bytes += bytes;
    while (shelf.lines.length > MAX_ACTOR_LINES || shelf.bytes > MAX_ACTOR_BYTES) this.#drop(actor, shelf);
    while (this.#bytes > MAX_BYTES) this.#drop(...this.#largest());
    for (const follower of this.#followers) follower(actor, line);
  }

  /** Actors with kept lines. */
  get actors(): string[] {
    return [...this.#shelves.keys()];
  }

  /** The last `count` lines about `actor`, or of all actors, oldest first. */
  last(count: number, actor?: string): string[] {
    return [...this.#shelves]
      .flatMap(([of, { lines }]) => lines.filter(({ line }) => isAbout(actor, of, line)).slice(-count))
      .sort((one, other) => one.number - other.number)
      .slice(-count)
      .map(({ line }) => line);
  }

  /** Calls back for every line about `actor`, or of all actors, from now on. @returns a function that ends it */
  follow(onLine: (line: string) => void, actor?: string): () => void {
    const follower: Follower = (of, line) => {
      if (isAbout(actor, of, line)) onLine(line);
    };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #drop(actor: string, shelf: Shelf): void {
    const { bytes = 0 } = shelf.lines.shift() ?? {};
    shelf.bytes -= bytes;
    this.#bytes -= bytes;
    if (shelf.lines.length === 0) this.#shelves.delete(actor);
  }

  #largest(): [string, Shelf] {
    return [...this.#shelves].reduce((most, each) => (each[1].bytes > most[1].bytes ? each : most));
  }
}

/** Whether a line is about `actor`: its own, or the supervisor's about it. */
function isAbout(actor: string | undefined, of: string, line: string): boolean {
  return actor === undefined || of === actor || (of === SUPERVISOR && names(line, actor));
}

/** `camera:gate` is not named by `camera:gate-2`. */
function names(line: string, actor: string): boolean {
  for (let at = line.indexOf(actor); at !== -1; at = line.indexOf(actor, at + 1))
    if (!/[\w-]/.test(line.charAt(at - 1)) && !/[\w-]/.test(line.charAt(at + actor.length))) return true;
  return false;
}
