/**
 * Sees whether nodes have their shares once all cameras have moved that had to, ten a minute, and nothing has happened meanwhile; and whether
 * they know the owners of all cameras.
 */
export interface Balancing {
  /** When something last happened, milliseconds. */
  readonly happenedMs: number;
  readonly hasQuorum: boolean;
  /** A node says that cameras are to move for its balance. */
  readonly isBalancing: boolean;
  /** Cameras that are to move for balance. */
  readonly due: number;
  /** Loads of the fullest and the emptiest member, relative to their shares. */
  readonly loads: { readonly most: number; readonly least: number };
  /** What nodes believe of the owners of cameras, where etcd says something else, in a sentence each. */
  readonly mistakes: ReadonlySet<string>;
  /** The heaviest camera's weight in relation to a node's share: no balance is finer. */
  readonly grain: number;
}

/** By then, nodes that have gone are known to be gone, and their cameras are on other nodes. */
const SETTLED_MS = 60_000;
/** Ten cameras begin to move in that time: a minute, what a permit lasts longer, and what etcd is late with it. */
const TEN_MS = 62_000;
/** The last of them come to their nodes. */
const LAST_MS = 60_000;
/** Between two looks at what nodes believe. */
const MISTAKES_MS = 5 * 60_000;
/** Deviation from its share beyond which a node's cameras move (docs/fleet.md). */
const FAR = 0.2;

export interface RestFindings {
  /** Load of the fullest node relative to its share, once all cameras have moved. */
  readonly loads: readonly number[];
  /** The longest that cameras moved after something had happened, and how many still had to a minute after it. */
  readonly longest: { readonly minutes: number; readonly cameras: number };
}

export class RestWitness implements RestFindings {
  readonly loads: number[] = [];
  longest = { minutes: 0, cameras: 0 };
  #happenedMs = NaN;
  #due = 0;
  #untilMs = 0;
  #isOver = false;
  /** How often in a row each was seen. */
  #mistakes: ReadonlyMap<string, number> = new Map();
  #mistakesAtMs = -Infinity;

  constructor(
    private readonly world: Balancing,
    private readonly nowMs: () => number,
    private readonly onViolation: (text: string) => void,
  ) {}

  /** Asked once a minute. */
  look(): void {
    const { world } = this;
    const ms = this.nowMs() - world.happenedMs;
    if (!world.hasQuorum || ms < SETTLED_MS) return;
    this.#lookForMistakes();
    if (world.happenedMs !== this.#happenedMs) {
      [this.#happenedMs, this.#due, this.#isOver] = [world.happenedMs, world.due, false];
      this.#untilMs = this.nowMs() + Math.ceil(this.#due / 10) * TEN_MS + LAST_MS;
    }
    if (this.#isOver) return;
    if (!world.isBalancing) this.#judge(ms);
    else if (this.nowMs() > this.#untilMs) {
      this.#isOver = true;
      this.onViolation(
        `cameras still moved for balance ${minutes(ms)} min after an incident, when ${this.#due} had to`,
      );
    }
  }

  /** A mistake of a moment is news on its way. All that all nodes know is much to compare, and what is wrong for ever can wait. */
  #lookForMistakes(): void {
    if (this.nowMs() - this.#mistakesAtMs < MISTAKES_MS) return;
    this.#mistakesAtMs = this.nowMs();
    const seen = [...this.world.mistakes].map((text) => [text, (this.#mistakes.get(text) ?? 0) + 1] as const);
    this.#mistakes = new Map(seen);
    for (const [text, times] of seen) if (times === 2) this.onViolation(text);
  }

  /** All have moved. */
  #judge(ms: number): void {
    this.#isOver = true;
    const { most, least } = this.world.loads;
    this.loads.push(most);
    if (ms > this.longest.minutes * 60_000 && this.#due > 0)
      this.longest = { minutes: ms / 60_000, cameras: this.#due };
    const far = Math.max(FAR, this.world.grain) + 1e-9;
    if (most <= 1 + far && least >= 1 - far) return;
    this.onViolation(
      `nodes had ${least.toFixed(2)} to ${most.toFixed(2)} of their shares, and no camera was to move`,
    );
  }
}

function minutes(ms: number): string {
  return (ms / 60_000).toFixed(1);
}
