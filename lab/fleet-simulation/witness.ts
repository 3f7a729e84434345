/** Sees which node runs which camera at every moment of a simulation, and what must never be. */

export interface Findings {
  /** Sentences; empty where all is as it must be. */
  readonly violations: readonly string[];
  /** The longest time in which no living node ran a camera, while etcd had a quorum, milliseconds. */
  readonly longestUnownedMs: number;
}

/** A camera without a node is taken by another by then. */
const OWNED_MS = 10_000;
/** A node that thaws sees at once that its lease has ended; a camera takes 300 ms to stop. */
const OVERLAP_MS = 400;
const MAX_SAID = 20;

export class Witness implements Findings {
  readonly violations: string[] = [];
  longestUnownedMs = 0;
  /** Nodes that run it. */
  readonly #runners: Map<string, Set<string>>;
  readonly #unownedSinceMs = new Map<string, number>();
  /** Cameras for one viewer that two nodes run. */
  readonly #sharedSinceMs = new Map<string, number>();
  /** No camera is late for a time without etcd or without nodes. */
  #excusedUntilMs = 0;

  constructor(
    cameras: readonly { readonly id: string; readonly isSingle: boolean }[],
    private readonly nowMs: () => number,
  ) {
    this.#runners = new Map(cameras.map(({ id }) => [id, new Set()]));
    this.single = new Set(cameras.filter(({ isSingle }) => isSingle).map(({ id }) => id));
    for (const { id } of cameras) this.#unownedSinceMs.set(id, 0);
  }

  private readonly single: ReadonlySet<string>;

  starts(node: string, camera: string): void {
    const runners = this.#runners.get(camera);
    if (runners === undefined || runners.has(node)) return;
    runners.add(node);
    this.#judgeUnowned(camera);
    this.#unownedSinceMs.delete(camera);
    if (runners.size > 1 && this.single.has(camera)) this.#sharedSinceMs.set(camera, this.nowMs());
  }

  stops(node: string, camera: string): void {
    const runners = this.#runners.get(camera);
    if (runners?.delete(node) !== true) return;
    if (runners.size === 0) this.#unownedSinceMs.set(camera, this.nowMs());
    if (runners.size < 2) this.#judgeShared(camera);
  }

  /** It dies, or is frozen. */
  stopsAll(node: string): void {
    for (const camera of this.#runners.keys()) this.stops(node, camera);
  }

  /** Until then nothing can be owned again, and the time counts from there: Infinity while unknown. */
  excuse(untilMs: number): void {
    this.#excusedUntilMs = untilMs;
  }

  /** At the end: what is still as it must not be. */
  close(): void {
    for (const camera of this.#unownedSinceMs.keys()) this.#judgeUnowned(camera);
    for (const camera of [...this.#sharedSinceMs.keys()]) this.#judgeShared(camera);
  }

  #judgeUnowned(camera: string): void {
    const since = this.#unownedSinceMs.get(camera);
    if (since === undefined) return;
    const ms = this.nowMs() - Math.max(since, this.#excusedUntilMs);
    this.longestUnownedMs = Math.max(this.longestUnownedMs, ms);
    if (ms > OWNED_MS) this.violated(`no node ran ${camera} for ${seconds(ms)} s`);
  }

  #judgeShared(camera: string): void {
    const ms = this.nowMs() - (this.#sharedSinceMs.get(camera) ?? this.nowMs());
    this.#sharedSinceMs.delete(camera);
    if (ms > OVERLAP_MS) this.violated(`two nodes ran ${camera}, which allows one, for ${seconds(ms)} s`);
  }

  violated(text: string): void {
    if (this.violations.length < MAX_SAID) this.violations.push(`at ${seconds(this.nowMs())} s ${text}`);
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
