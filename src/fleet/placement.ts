/**
 * Which node each camera belongs on: weighted rendezvous hashing with bounded load (Mirrokni, Thorup,
 * Zadimoghaddam: "Consistent Hashing with Bounded Loads", 2016), which keeps existing placements. Pure: every
 * member computes the same from the same facts, so that none has to lead.
 */
import { Balance, isUnbalanced } from './balance';
import { byRank, Loads } from './loads';

export interface PlacedCamera {
  readonly id: string;
  /** The hash of its id. */
  readonly rank: number;
  /** Its cost, in any unit that all cameras share; above 0. */
  readonly weight: number;
  /** The node that has it now. */
  readonly owner?: string | undefined;
  /** The node that is about to adopt it: its load counts there already, so it is not planned again while it moves. */
  readonly to?: string | undefined;
}

export interface PlacementNode {
  readonly name: string;
  /** In the unit of weights, relative to other nodes; above 0. */
  readonly capacity: number;
  /** Cameras have begun to move for its balance, and are not all where they belong yet. */
  readonly isBalancing?: boolean;
}

/**
 * New nodes, by id, for cameras on other nodes and for unowned ones; empty if there are no nodes. A camera stays where it is
 * unless its node has gone, or nodes are a fifth above or below their shares: then just enough cameras move to bring the nodes within
 * a tenth, even if those already moving have brought them within a fifth meanwhile.
 */
export function relocations(
  cameras: readonly PlacedCamera[],
  nodes: readonly PlacementNode[],
): ReadonlyMap<string, string> {
  if (nodes.length === 0) return new Map();
  const loads = new Loads(cameras, nodes);
  // Heavy ones first: light ones fill the gaps. The order is the same on all nodes.
  const homeless = [...loads.homeless].sort((a, b) => b.weight - a.weight || byRank(a, b));
  for (const camera of homeless) loads.move(camera, undefined, loads.choose(camera));
  if (cameras.length > 0 && (isUnbalanced(loads) || nodes.some(({ isBalancing }) => isBalancing)))
    new Balance(loads).run();
  return loads.relocated;
}
