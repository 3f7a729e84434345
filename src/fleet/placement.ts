/**
 * Which node each camera belongs on: weighted rendezvous hashing with bounded load (Mirrokni, Thorup, Zadimoghaddam:
 * "Consistent Hashing with Bounded Loads", 2016), which keeps what is placed already. Pure: every member computes the same
 * from the same facts, so that no one leads.
 */
import { Balance, isUnbalanced } from './balance';
import { hashOf, Loads } from './loads';

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
  /** Cameras have begun to move for its balance, and are not all where they belong yet. */
  readonly isBalancing?: boolean;
}

/**
 * The node of every camera, by id; empty where there are no nodes. A camera stays where it is unless its node has gone, or
 * nodes are a fifth above or below their shares: then as many move as bring them within a tenth, and no more, also where
 * those on their way have brought them within a fifth meanwhile.
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
    if (camera.owner !== undefined && loads.get(camera.owner) !== undefined) {
      placed.set(camera.id, camera.owner);
      loads.add(camera.owner, camera.weight);
    } else homeless.push(camera);
  // The heavy first: the light fill what is left. The order is the same for everybody.
  const rank = new Map(homeless.map(({ id }) => [id, hashOf(id)]));
  const byRank = (a: PlacedCamera, b: PlacedCamera) =>
    (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0) || (a.id < b.id ? -1 : 1);
  homeless.sort((a, b) => b.weight - a.weight || byRank(a, b));
  for (const { id, weight } of homeless) {
    const name = loads.choose(id, weight);
    placed.set(id, name);
    loads.add(name, weight);
  }
  if (cameras.length > 0 && (isUnbalanced(loads) || nodes.some(({ isBalancing }) => isBalancing)))
    new Balance(cameras, loads, placed).run();
  return placed;
}
