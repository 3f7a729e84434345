/**
 * Decides which cameras move so that no node has much more or much less than its share. Pure. Every move
 * lowers the sum of squared loads, each over its share: so it ends, and a second run on the result moves
 * nothing.
 */
import { BOUND, byRank, drawOf, EQUAL, type Load, type Loads } from './loads';
import type { PlacedCamera } from './placement';

/** Cameras begin to move for balance only when a node is this far above or below its share. */
const FAR_ABOVE = 1.2;
const FAR_BELOW = 0.8;
/** Moves then bring every node to at least this part of its share, if the cameras are light enough for it. */
const ENOUGH = 0.9;

/** Whether a node is a fifth or more away from its share. */
export function isUnbalanced({ nodes }: Loads): boolean {
  return nodes.some(({ load, share }) => load > share * FAR_ABOVE || load < share * FAR_BELOW);
}

export class Balance {
  constructor(private readonly loads: Loads) {}

  /** Until nothing more can be gained. */
  run(): void {
    while (this.#fill() || this.#relieve(this.#needy) || this.#relieve(this.#empty));
  }

  /** Brings nodes that lack much to their share, the emptiest first, with cameras of the fullest. */
  #fill(): boolean {
    let hasMoved = false;
    const stuck = new Set<Load>();
    for (;;) {
      const to = this.#emptiest(stuck);
      if (to === undefined) return hasMoved;
      if (this.#fillFrom(to)) hasMoved = true;
      else stuck.add(to);
    }
  }

  #emptiest(stuck: ReadonlySet<Load>): Load | undefined {
    let found: Load | undefined;
    for (const node of this.loads.nodes)
      if (!stuck.has(node) && ratio(node) < ENOUGH - EQUAL && (!found || ratio(node) < ratio(found)))
        found = node;
    return found;
  }

  #fillFrom(to: Load): boolean {
    const tried = new Set<Load>();
    for (;;) {
      const from = this.#fullest(to, tried);
      const best = from && this.#bestOf(from, to);
      if (best !== undefined) this.loads.move(best, from, to);
      if (from === undefined || best !== undefined) return best !== undefined;
      tried.add(from);
    }
  }

  #fullest(to: Load, tried: ReadonlySet<Load>): Load | undefined {
    let found: Load | undefined;
    for (const node of this.loads.nodes)
      if (ratio(node) > ratio(found ?? to) && !tried.has(node)) found = node;
    return found;
  }

  #bestOf(from: Load, to: Load): PlacedCamera | undefined {
    let best: PlacedCamera | undefined;
    for (const camera of from.cameras)
      if (isGain(from, to, camera.weight) && (!best || this.#isBetter(camera, best, to))) best = camera;
    return best;
  }

  /** Prefers cameras that no node has, and then the one with the highest score for the node. */
  #isBetter(a: PlacedCamera, b: PlacedCamera, to: Load): boolean {
    const { homeless } = this.loads;
    if (homeless.size > 0 && homeless.has(a) !== homeless.has(b)) return homeless.has(a);
    return drawOf(a.rank, to) > drawOf(b.rank, to) || (a.rank === b.rank && a.id < b.id);
  }

  /**
   * Considers every camera of a node above its bound once and moves it to the node `takerOf` returns. Cameras
   * that no node has come first, in an order that is the same on all nodes.
   */
  #relieve(takerOf: (camera: PlacedCamera, owner: Load) => Load | undefined): boolean {
    const { nodes, homeless } = this.loads;
    const full = nodes.filter(({ load, share }) => load > share * BOUND);
    const movable = full.flatMap((owner) => owner.cameras.map((camera) => ({ camera, owner })));
    movable.sort(({ camera: a }, { camera: b }) => +homeless.has(b) - +homeless.has(a) || byRank(a, b));
    let hasMoved = false;
    for (const { camera, owner } of movable) {
      const taker = takerOf.call(this, camera, owner);
      if (taker === undefined) continue;
      this.loads.move(camera, owner, taker);
      hasMoved = true;
    }
    return hasMoved;
  }

  /**
   * For a camera whose owner is above its bound, and keeps at least its share without the camera: the node
   * with the highest score among those below their share that stay within their bound with the camera.
   */
  #needy(camera: PlacedCamera, owner: Load): Load | undefined {
    const { weight } = camera;
    if (owner.load <= owner.share * BOUND || owner.load - weight < owner.share) return undefined;
    return this.loads.best(camera, ({ load, share }) => load < share && load + weight <= share * BOUND);
  }

  /** For a camera that is not an unbalanced owner's only one: an empty node, less full with it than the owner is now. */
  #empty(camera: PlacedCamera, owner: Load): Load | undefined {
    const { weight } = camera;
    if (owner.load <= owner.share * FAR_ABOVE || owner.load - weight < EQUAL) return undefined;
    const most = ratio(owner) - EQUAL;
    return this.loads.best(camera, ({ load, share }) => load < EQUAL && weight / share < most);
  }
}

function ratio({ load, share }: Load): number {
  return load / share;
}

/** After the move, both are within their bounds, or the giving node is still no emptier than the taking one. */
function isGain(from: Load, to: Load, weight: number): boolean {
  const given = (from.load - weight) / from.share;
  const taken = (to.load + weight) / to.share;
  if (ratio(from) + given <= ratio(to) + taken + EQUAL) return false;
  return given >= taken - EQUAL || (given >= ENOUGH - EQUAL && taken <= BOUND + EQUAL);
}
