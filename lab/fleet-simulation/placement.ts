/** The real placement, computed once for all nodes that ask for it with the same cameras and members, as it is for each of them. */
import { relocations, type PlacedCamera, type PlacementNode } from '../../src/fleet/placement';

/** Nodes hear of a change within milliseconds of each other: older worlds are asked for no more. */
const KEPT = 8;

interface Known {
  /** Where it differed from what was asked for last: looked at first. */
  differing: number;
  readonly cameras: readonly PlacedCamera[];
  readonly members: readonly PlacementNode[];
  readonly relocated: ReadonlyMap<string, string>;
}

export class SharedPlacement {
  #known: Known[] = [];

  of(cameras: readonly PlacedCamera[], members: readonly PlacementNode[]): ReadonlyMap<string, string> {
    const found = this.#known.find((known) => areSame(known.members, members) && isFor(known, cameras));
    if (found !== undefined) return found.relocated;
    const relocated = relocations(cameras, members);
    // A node changes its cameras in place.
    const copy = cameras.map(({ id, rank, weight, owner, to }) => ({ id, rank, weight, owner, to }));
    this.#known = [{ differing: 0, cameras: copy, members, relocated }, ...this.#known].slice(0, KEPT);
    return relocated;
  }
}

function areSame(a: readonly PlacementNode[], b: readonly PlacementNode[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ name, capacity, isBalancing }, i) => {
    const other = b[i];
    return name === other?.name && capacity === other.capacity && isBalancing === other.isBalancing;
  });
}

function isFor(known: Known, cameras: readonly PlacedCamera[]): boolean {
  const count = cameras.length;
  if (known.cameras.length !== count) return false;
  for (let i = 0; i < count; i++) {
    const at = (known.differing + i) % count;
    const [a, b] = [known.cameras[at], cameras[at]];
    if (a?.owner === b?.owner && a?.to === b?.to && a?.weight === b?.weight && a?.id === b?.id) continue;
    known.differing = at;
    return false;
  }
  return true;
}
