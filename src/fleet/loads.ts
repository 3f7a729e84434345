/** The load of each node in relation to its share, and which node a camera prefers. Pure. */
import type { PlacedCamera, PlacementNode } from './placement';

/** Multiple of its share up to which a node accepts cameras; beyond it, the next node gets the camera. */
export const BOUND = 1.1;
/** Sums of the same weights in another order differ by less. */
export const EQUAL = 1e-9;

export interface Load {
  readonly name: string;
  readonly seed: number;
  /** The load it would have if all nodes had the same load per capacity, in the unit of weights. */
  readonly share: number;
  readonly cameras: PlacedCamera[];
  load: number;
}

export class Loads {
  /** By name. */
  readonly nodes: readonly Load[];
  /** Cameras that none of the nodes has. */
  readonly homeless: ReadonlySet<PlacedCamera>;
  /** New nodes of relocated cameras, by id. */
  readonly relocated = new Map<string, string>();
  readonly #byName: ReadonlyMap<string, Load>;

  constructor(cameras: readonly PlacedCamera[], nodes: readonly PlacementNode[]) {
    const total = cameras.reduce((sum, { weight }) => sum + weight, 0);
    const capacity = nodes.reduce((sum, node) => sum + node.capacity, 0);
    this.nodes = [...nodes]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, capacity: own }) => ({
        ...{ name, seed: hashOf(name), share: (total * own) / capacity, cameras: [], load: 0 },
      }));
    this.#byName = new Map(this.nodes.map((node) => [node.name, node]));
    this.homeless = new Set(cameras.filter((camera) => !this.#keep(camera)));
  }

  #keep(camera: PlacedCamera): boolean {
    const { id, owner = '', to = '' } = camera;
    const next = this.#byName.get(to);
    const node = next ?? this.#byName.get(owner);
    if (next !== undefined) this.relocated.set(id, to);
    if (node !== undefined) add(node, camera);
    return node !== undefined;
  }

  /** @param from where it is now; undefined for one that is on no node yet */
  move(camera: PlacedCamera, from: Load | undefined, to: Load): void {
    if (from !== undefined) {
      from.cameras.splice(from.cameras.indexOf(camera), 1);
      from.load -= camera.weight;
    }
    add(to, camera);
    if (to.name === camera.owner) this.relocated.delete(camera.id);
    else this.relocated.set(camera.id, to.name);
  }

  /** The node with the highest score that has room; if none has, the one that is least above its share. */
  choose(camera: PlacedCamera): Load {
    const { weight } = camera;
    const chosen = this.best(camera, ({ load, share }) => load + weight <= share * BOUND);
    if (chosen !== undefined) return chosen;
    const over = ({ load, share }: Load) => (load + weight) / share;
    return this.nodes.reduce((a, b) => (over(b) < over(a) ? b : a));
  }

  /** The node with the highest score for this camera among those that satisfy `has`. */
  best({ rank }: PlacedCamera, has: (node: Load) => boolean): Load | undefined {
    let best: Load | undefined;
    let bestScore = -Infinity;
    for (const node of this.nodes) {
      if (!has(node)) continue;
      const score = scoreOf(rank, node);
      if (score > bestScore) [best, bestScore] = [node, score];
    }
    return best;
  }
}

function add(node: Load, camera: PlacedCamera): void {
  node.cameras.push(camera);
  node.load += camera.weight;
}

/** An order that is the same on every node. */
export function byRank(a: PlacedCamera, b: PlacedCamera): number {
  return a.rank - b.rank || (a.id < b.id ? -1 : 1);
}

/** Logarithmic method (Resch, Volvovski: "Weighted Distributed Hash Tables", 2014): the share follows the weight. */
function scoreOf(rank: number, node: Load): number {
  return -node.share / Math.log((drawOf(rank, node) + 0.5) / 2 ** 32);
}

/** Rises with the score, and is cheaper to compute: for comparing cameras for the same node. */
export function drawOf(rank: number, { seed }: Load): number {
  return mix(rank ^ seed);
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
