/**
 * Which cameras move so that no node has much more or much less than its share. Pure. Every move lowers the sum of the squares
 * of the loads by their shares, so this ends, and what it leaves it leaves alone the next time.
 */
import { BOUND, EQUAL, hashOf, scoreOf, type Load, type Loads } from './loads';
import type { PlacedCamera } from './placement';

/** Cameras begin to move for balance only when a node is this far above or below its share. */
const FAR_ABOVE = 1.2;
const FAR_BELOW = 0.8;
/** Then every node gets so much of its share, if the cameras are light enough for it. */
const ENOUGH = 0.9;

interface Movable {
  readonly id: string;
  readonly weight: number;
  readonly rank: number;
  /** A node has it now, and it would move. */
  readonly isOwned: boolean;
}

/** A node is a fifth away from its share. */
export function isUnbalanced({ nodes }: Loads): boolean {
  return nodes.some(({ load, share }) => load > share * FAR_ABOVE || load < share * FAR_BELOW);
}

export class Balance {
  /** In an order that is the same for everybody: first those that no node loses. */
  readonly #movable: readonly Movable[];
  readonly #byNode: ReadonlyMap<string, Set<Movable>>;

  constructor(
    cameras: readonly PlacedCamera[],
    private readonly loads: Loads,
    private readonly placed: Map<string, string>,
  ) {
    this.#movable = cameras
      .map(({ id, weight, owner }) => ({
        ...{ id, weight, rank: hashOf(id) },
        isOwned: owner !== undefined && owner === placed.get(id),
      }))
      .sort((a, b) => +a.isOwned - +b.isOwned || a.rank - b.rank || (a.id < b.id ? -1 : 1));
    this.#byNode = new Map(loads.nodes.map(({ name }) => [name, new Set()]));
    for (const camera of this.#movable) this.#byNode.get(placed.get(camera.id) ?? '')?.add(camera);
  }

  /** Until nothing more can be won. */
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
    const fuller = this.loads.nodes.filter((node) => ratio(node) > ratio(to));
    for (const from of fuller.sort((a, b) => ratio(b) - ratio(a))) {
      let best: Movable | undefined;
      for (const camera of this.#byNode.get(from.name) ?? []) {
        if (!isGain(from, to, camera.weight)) continue;
        if (!best || isBetter(camera, best, to)) best = camera;
      }
      if (best === undefined) continue;
      this.#move(best, to.name);
      return true;
    }
    return false;
  }

  /** Every camera once: it goes where `takerOf` says. */
  #relieve(takerOf: (camera: Movable, owner: Load) => string | undefined): boolean {
    let hasMoved = false;
    for (const camera of this.#movable) {
      const owner = this.loads.get(this.placed.get(camera.id) ?? '');
      const name = owner && takerOf.call(this, camera, owner);
      if (name === undefined) continue;
      this.#move(camera, name);
      hasMoved = true;
    }
    return hasMoved;
  }

  /**
   * Of a camera whose owner is above its bound, and at its share or above without it: the node below its share with the
   * highest score, if the camera does not take it above its bound.
   */
  #needy({ id, weight }: Movable, owner: Load): string | undefined {
    if (owner.load <= owner.share * BOUND || owner.load - weight < owner.share) return undefined;
    return this.loads.best(id, ({ load, share }) => load < share && load + weight <= share * BOUND);
  }

  /** Of a camera that is not its owner's only one, and whose owner is unbalanced: a node without any that is not as full with it. */
  #empty({ id, weight }: Movable, owner: Load): string | undefined {
    if (owner.load <= owner.share * FAR_ABOVE || owner.load - weight < EQUAL) return undefined;
    const most = ratio(owner) - EQUAL;
    return this.loads.best(id, ({ load, share }) => load < EQUAL && weight / share < most);
  }

  #move(camera: Movable, to: string): void {
    const from = this.placed.get(camera.id) ?? '';
    this.#byNode.get(from)?.delete(camera);
    this.#byNode.get(to)?.add(camera);
    this.loads.add(from, -camera.weight);
    this.loads.add(to, camera.weight);
    this.placed.set(camera.id, to);
  }
}

function isBetter(a: Movable, b: Movable, to: Load): boolean {
  return a.isOwned === b.isOwned ? scoreOf(a.rank, to) > scoreOf(b.rank, to) : b.isOwned;
}

function ratio({ load, share }: Load): number {
  return load / share;
}

/** Both are within their bounds behind it, or the one that gives is still no emptier than the one that takes. */
function isGain(from: Load, to: Load, weight: number): boolean {
  const [given, taken] = [(from.load - weight) / from.share, (to.load + weight) / to.share];
  if (ratio(from) + given <= ratio(to) + taken + EQUAL) return false;
  return given >= taken - EQUAL || (given >= ENOUGH - EQUAL && taken <= BOUND + EQUAL);
}
