/**
 * The cameras of the configuration with their owners and their weights for the placement. It depends on etcd
 * alone, so that it is the same for every member. Only changed records are read.
 */
import type { Facts, NodeRecord } from './facts';
import { hashOf } from './loads';
import type { FleetCamera } from './options';
import type { PlacedCamera } from './placement';

interface Enrolled extends PlacedCamera {
  readonly rate: number;
  readonly isSingle: boolean;
  weight: number;
  owner: string | undefined;
  to: string | undefined;
  /** Measured by its node, or by the previous one; undefined if it was never measured. */
  cost: number | undefined;
}

export class Roster {
  /** Rises when the owner, the next owner or the weight of a camera changes. */
  revision = 0;
  #given: readonly FleetCamera[] = [];
  #cameras: readonly Enrolled[] = [];
  #byId: ReadonlyMap<string, Enrolled> = new Map();
  readonly #unowned = new Set<string>();
  #isNew = false;
  readonly #changed: Set<string>;
  /** By node, as they were when last read. */
  readonly #costs = new Map<string, NodeRecord['costs']>();

  constructor(private readonly facts: Pick<Facts, 'nodes' | 'owners'>) {
    this.#changed = facts.owners.changes();
  }

  /** Unowned cameras at the last {@link look}. */
  get unowned(): ReadonlySet<string> {
    return this.#unowned;
  }

  get(id: string): PlacedCamera | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Whether the camera allows only one viewer at a time. */
  isSingle(id: string): boolean {
    return this.#byId.get(id)?.isSingle === true;
  }

  /**
   * Brings the owners and the weights up to date.
   * @returns all cameras, in the order of the configuration, so that sums over them are the same on all nodes
   */
  look(): readonly PlacedCamera[] {
    this.#lookForCosts();
    let areOtherCosts = this.#isNew;
    for (const id of this.#changed) areOtherCosts = this.#lookAt(id) || areOtherCosts;
    this.#changed.clear();
    if (areOtherCosts) this.#weigh();
    this.#isNew = false;
    return this.#cameras;
  }

  /**
   * @param given cameras of the configuration, with their rates as weights; an identical array means
   * identical cameras
   * @returns whether the cameras have changed
   */
  enrol(given: readonly FleetCamera[]): boolean {
    if (given === this.#given) return false;
    this.#given = given;
    this.#cameras = given.map(({ id, weight, isSingle }) => ({
      ...{ id, rate: weight, weight, isSingle, rank: hashOf(id) },
      ...{ owner: undefined, to: undefined, cost: undefined },
    }));
    this.#byId = new Map(this.#cameras.map((camera) => [camera.id, camera]));
    this.#unowned.clear();
    for (const { id } of given) {
      this.#changed.add(id);
      this.#unowned.add(id);
    }
    this.revision++;
    this.#isNew = true;
    return true;
  }

  #lookForCosts(): void {
    const { nodes, owners } = this.facts;
    for (const name of new Set([...nodes.keys(), ...this.#costs.keys()])) {
      const costs = nodes.get(name)?.costs;
      if (costs === this.#costs.get(name)) continue;
      if (costs === undefined) this.#costs.delete(name);
      else this.#costs.set(name, costs);
      for (const id of owners.of(name).keys()) this.#changed.add(id);
    }
  }

  /** @returns whether its cost has changed */
  #lookAt(id: string): boolean {
    const camera = this.#byId.get(id);
    if (camera === undefined) return false;
    const { nodes, owners } = this.facts;
    const found = owners.get(id);
    const cost = found && (nodes.get(found.node)?.costs?.[id] ?? found.cost);
    if (camera.owner === found?.node && camera.to === found?.to && camera.cost === cost) return false;
    this.revision++;
    [camera.owner, camera.to] = [found?.node, found?.to];
    if (found === undefined) this.#unowned.add(id);
    else this.#unowned.delete(id);
    if (camera.cost === cost) return false;
    camera.cost = cost;
    return true;
  }

  /** A camera that was never measured, or is unowned, gets the average weight of the measured ones at its rate. */
  #weigh(): void {
    let [measured, rates] = [0, 0];
    for (const { cost, rate } of this.#cameras) {
      if (cost === undefined) continue;
      measured += cost;
      rates += rate;
    }
    const perRate = rates === 0 ? 1 : measured / rates;
    for (const camera of this.#cameras) camera.weight = camera.cost ?? camera.rate * perRate;
  }
}
