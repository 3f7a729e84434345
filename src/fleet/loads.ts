/** What the nodes have to do in relation to their shares, and which node a camera prefers. Pure. */
import type { PlacedCamera, PlacementNode } from './placement';

/** A node takes so much more than its share before the next one gets the camera. */
export const BOUND = 1.1;
/** Sums of the same weights in another order differ by less. */
export const EQUAL = 1e-9;

export interface Load {
  readonly name: string;
  readonly seed: number;
  /** What it would have if all had the same in relation to their capacities, in the unit of weights. */
  readonly share: number;
  load: number;
}

export class Loads {
  /** By name. */
  readonly nodes: readonly Load[];
  readonly #byName: ReadonlyMap<string, Load>;

  constructor(cameras: readonly PlacedCamera[], nodes: readonly PlacementNode[]) {
    const total = cameras.reduce((sum, { weight }) => sum + weight, 0);
    const capacity = nodes.reduce((sum, node) => sum + node.capacity, 0);
    this.nodes = [...nodes]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, capacity: own }) => ({
        ...{ name, seed: hashOf(name), share: (total * own) / capacity, load: 0 },
      }));
    this.#byName = new Map(this.nodes.map((node) => [node.name, node]));
  }

  get(name: string): Load | undefined {
    return this.#byName.get(name);
  }

  add(name: string, weight: number): void {
    const node = this.#byName.get(name);
    if (node !== undefined) node.load += weight;
  }

  /** The node with the highest score that has room; where none has, the one that is the least above its share. */
  choose(id: string, weight: number): string {
    const chosen = this.best(id, ({ load, share }) => load + weight <= share * BOUND);
    if (chosen !== undefined) return chosen;
    const over = ({ load, share }: Load) => (load + weight) / share;
    return this.nodes.reduce((a, b) => (over(b) < over(a) ? b : a)).name;
  }

  /** Of the nodes that `has` takes, the one with the highest score for this camera. */
  best(id: string, has: (node: Load) => boolean): string | undefined {
    const hash = hashOf(id);
    let best: string | undefined;
    let bestScore = -Infinity;
    for (const node of this.nodes) {
      if (!has(node)) continue;
      const score = scoreOf(hash, node);
      if (score > bestScore) [best, bestScore] = [node.name, score];
    }
    return best;
  }
}

/** Logarithmic method (Resch, Volvovski: "Weighted Distributed Hash Tables", 2014): the share follows the weight. */
export function scoreOf(hash: number, { seed, share }: Load): number {
  return -share / Math.log((mix(hash ^ seed) + 0.5) / 2 ** 32);
}

/** FNV-1a with a finalizer, 32 bits: the same on every machine. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** MurmurHash3's finalizer. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
