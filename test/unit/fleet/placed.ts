/** The node of every camera, moved or not, as tests ask for it. */
import { hashOf } from '../../../src/fleet/loads';
import { relocations, type PlacedCamera, type PlacementNode } from '../../../src/fleet/placement';

export type UnrankedCamera = Omit<PlacedCamera, 'rank'>;

export function place(
  cameras: readonly UnrankedCamera[],
  nodes: readonly PlacementNode[],
): Map<string, string> {
  if (nodes.length === 0) return new Map();
  const relocated = relocations(
    cameras.map((camera) => ({ ...camera, rank: hashOf(camera.id) })),
    nodes,
  );
  return new Map(cameras.map(({ id, owner = '' }) => [id, relocated.get(id) ?? owner]));
}
