/** Cameras that are not where they belong: recomputed only if a fact that the placement depends on has changed. */
import type { Facts, Present } from './facts';
import { byRank } from './loads';
import type { FleetCamera } from './options';
import { Orphans } from './pace';
import { relocations, type PlacedCamera, type PlacementNode } from './placement';
import { Roster } from './roster';
import { stepsOf, type Relocations, type Steps } from './steps';

export class Planning {
  readonly roster: Roster;
  readonly #orphans = new Orphans();
  #plan: Relocations = { relocated: new Map(), waiting: [], unowned: [] };
  #revision = 0;
  #members = '';

  /** @param node this one */
  constructor(
    private readonly node: string,
    private readonly facts: Pick<Facts, 'nodes' | 'owners'>,
    private readonly placement = relocations,
  ) {
    this.roster = new Roster(facts);
  }

  /**
   * @param cameras of the configuration; an identical array means identical cameras
   * @param pasts records that must forget all other cameras
   */
  enrolled(
    cameras: readonly FleetCamera[],
    pasts: readonly { readonly keep: (present: Present) => void }[],
  ): Roster {
    if (this.roster.enrol(cameras)) for (const past of pasts) past.keep(this.roster);
    return this.roster;
  }

  /** The steps that follow from the current facts, for the enrolled cameras. */
  steps(nowMs: number): Steps {
    const { node, facts, roster } = this;
    const plan = this.#look();
    this.#orphans.look(plan.unowned, nowMs);
    return stepsOf(plan, facts, {
      ...{ node, has: (id) => roster.has(id) },
      orphanedMs: (id) => this.#orphans.ageMs(id, nowMs),
    });
  }

  #look(): Relocations {
    const { roster } = this;
    const cameras = roster.look();
    const members = [...this.facts.nodes].flatMap(([name, { state, capacity, isBalancing = false }]) =>
      state === 'member' ? [{ name, capacity, isBalancing }] : [],
    );
    const said = JSON.stringify(members);
    if (roster.revision === this.#revision && said === this.#members) return this.#plan;
    [this.#revision, this.#members] = [roster.revision, said];
    return (this.#plan = planOf(roster, members, this.placement(cameras, members)));
  }
}

function planOf(
  roster: Pick<Roster, 'get' | 'unowned'>,
  members: readonly PlacementNode[],
  relocated: ReadonlyMap<string, string>,
): Relocations {
  const names = new Set(members.map(({ name }) => name));
  const waiting: PlacedCamera[] = [];
  for (const id of relocated.keys()) {
    const camera = roster.get(id);
    if (camera?.owner !== undefined && names.has(camera.owner)) waiting.push(camera);
  }
  return {
    ...{ relocated, waiting: waiting.sort(byRank).map(({ id }) => id) },
    unowned: [...roster.unowned],
  };
}
