/**
 * Which node each camera belongs on: weighted rendezvous hashing with bounded load (Mirrokni, Thorup, Zadimoghaddam:
 * "Consistent Hashing with Bounded Loads", 2016), which keeps what is placed already. Pure: every member computes the same
 * from the same facts, so that no one leads.
 */

export interface PlacedCamera {
  readonly id: string;
  /** Its cost, in any unit that all cameras share; above 0. */
  readonly weight: number;
  /** The node that has it now. */
  readonly owner?: string;
}

export interface PlacementNode {
  readonly name: string;
  /** In the unit of weights, relative to other nodes; above 0. */
  readonly capacity: number;
}

/** A node takes so much more than its share before the next one gets the camera. */
const BOUND = 1.1;
/** Cameras move for balance only when a node is this far above its share. */
const UNBALANCED = 1.2;
/** Sums of the same weights in another order differ by less. */
const EQUAL = 1e-9;

/**
 * The node of every camera, by id; empty where there are no nodes. A camera stays where it is unless its node has gone or
 * is more than a fifth above its share, and then only as many leave it as bring it within a tenth. A node that has none is
 * given a camera by one that is then below its share, too, where cameras are few, or heavy.
 */
export function place(
  cameras: readonly PlacedCamera[],
  nodes: readonly PlacementNode[],
): Map<string, string> {
  const placed = new Map<string, string>();
  if (nodes.length === 0) return placed;
  const loads = new Loads(cameras, nodes);
  const homeless: PlacedCamera[] = [];
  for (const camera of cameras)
    if (camera.owner !== undefined && loads.has(camera.owner)) {
      placed.set(camera.id, camera.owner);
      loads.add(camera.owner, camera.weight);
    } else homeless.push(camera);
  // The heavy first: the light fill what is left. The order is the same for everybody.
  const rank = new Map(homeless.map(({ id }) => [id, hashOf(id)]));
  const byRank = (a: PlacedCamera, b: PlacedCamera) =>
    (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0) || (a.id < b.id ? -1 : 1);
  homeless.sort((a, b) => b.weight - a.weight || byRank(a, b));
  for (const camera of homeless) settle(camera, loads, placed);
  if (loads.isUnbalanced) balance(cameras, loads, placed);
  return placed;
}

function settle({ id, weight }: PlacedCamera, loads: Loads, placed: Map<string, string>): void {
  const name = loads.choose(id, weight);
  placed.set(id, name);
  loads.add(name, weight);
}

/** Moves cameras from nodes above their bound to nodes below their share. Each move lowers the fuller one, so this ends. */
function balance(cameras: readonly PlacedCamera[], loads: Loads, placed: Map<string, string>): void {
  const movable = cameras
    .map(({ id, weight }) => ({ id, weight, rank: hashOf(id) }))
    .sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  const hasMoved = (takerOf: (id: string, weight: number, owner: string) => string | undefined): boolean => {
    let count = 0;
    for (const { id, weight } of movable) {
      const owner = placed.get(id) ?? '';
      const name = takerOf(id, weight, owner);
      if (name === undefined) continue;
      loads.add(owner, -weight);
      loads.add(name, weight);
      placed.set(id, name);
      count++;
    }
    return count > 0;
  };
  const toNeedy = (...camera: [string, number, string]) => loads.needy(...camera);
  const toEmpty = (...camera: [string, number, string]) => loads.empty(...camera);
  while (hasMoved(toNeedy) || hasMoved(toEmpty));
}

class Loads {
  readonly #nodes: { readonly name: string; readonly seed: number; readonly share: number; load: number }[];
  readonly #byName: Map<string, { load: number; readonly share: number }>;

  constructor(cameras: readonly PlacedCamera[], nodes: readonly PlacementNode[]) {
    const total = cameras.reduce((sum, { weight }) => sum + weight, 0);
    const capacity = nodes.reduce((sum, node) => sum + node.capacity, 0);
    this.#nodes = [...nodes]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, capacity: own }) => ({
        name,
        seed: hashOf(name),
        share: (total * own) / capacity,
        load: 0,
      }));
    this.#byName = new Map(this.#nodes.map((node) => [node.name, node]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  add(name: string, weight: number): void {
    const node = this.#byName.get(name);
    if (node !== undefined) node.load += weight;
  }

  get isUnbalanced(): boolean {
    return this.#nodes.some(({ load, share }) => load > share * UNBALANCED);
  }

  /**
   * Of a camera whose owner is above its bound, and at its share or above without it: the node below its share with the
   * highest score, if the camera does not take it above its bound.
   */
  needy(id: string, weight: number, owner: string): string | undefined {
    const from = this.#byName.get(owner);
    if (from === undefined || from.load <= from.share * BOUND || from.load - weight < from.share)
      return undefined;
    return this.#best(id, ({ load, share }) => load < share && load + weight <= share * BOUND);
  }

  /** Of a camera that is not its owner's only one, and whose owner is unbalanced: a node without any that is not as full with it. */
  empty(id: string, weight: number, owner: string): string | undefined {
    const from = this.#byName.get(owner);
    if (from === undefined || from.load <= from.share * UNBALANCED || from.load - weight < EQUAL)
      return undefined;
    const ratio = from.load / from.share - EQUAL;
    return this.#best(id, ({ load, share }) => load < EQUAL && weight / share < ratio);
  }

  /** The node with the highest score that has room; where none has, the one that is the least above its share. */
  choose(id: string, weight: number): string {
    const chosen = this.#best(id, ({ load, share }) => load + weight <= share * BOUND);
    if (chosen !== undefined) return chosen;
    const over = ({ load, share }: { load: number; share: number }) => (load + weight) / share;
    return this.#nodes.reduce((a, b) => (over(b) < over(a) ? b : a)).name;
  }

  #best(id: string, has: (node: { load: number; share: number }) => boolean): string | undefined {
    const hash = hashOf(id);
    let best: string | undefined;
    let bestScore = -Infinity;
    for (const node of this.#nodes) {
      if (!has(node)) continue;
      // Logarithmic method (Resch, Volvovski: "Weighted Distributed Hash Tables", 2014): the share follows the weight.
      const score = -node.share / Math.log((mix(hash ^ node.seed) + 0.5) / 2 ** 32);
      if (score > bestScore) [best, bestScore] = [node.name, score];
    }
    return best;
  }
}

/** FNV-1a with a finalizer, 32 bits: the same on every machine. */
function hashOf(text: string): number {
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
