/** What a member does about the facts it sees: which cameras it takes, and which it gives away. Pure. */
import type { Facts } from './facts';
import type { Move } from './handover';
import { hashOf } from './loads';
import { place } from './placement';

export interface Own {
  readonly node: string;
  /** Cameras of this node's configuration. */
  readonly cameras: readonly { readonly id: string; readonly weight: number }[];
  /** For how long nobody has owned a camera, milliseconds; 0 of one that is owned. */
  readonly orphanedMs: (id: string) => number;
}

export interface Steps {
  readonly take: readonly string[];
  /** Where its cameras belong that do not belong here. */
  readonly moves: readonly Move[];
  /** Cameras of all members that belong elsewhere, in an order that is the same for all nodes. */
  readonly waiting: readonly string[];
  /** Cameras are to move for the balance of this node. */
  readonly isBalancing: boolean;
  /** Cameras of others that it is to capture beside them. */
  readonly arriving: readonly string[];
  /**
   * `none`: nothing will be to do until a fact changes. `patience`: cameras of this node only wait for others to have moved.
   * `time`: cameras are on their way, or nobody has them.
   */
  readonly waitsFor: 'none' | 'patience' | 'time';
}

/** A camera that its node has not taken by then is taken by any other: that node may not know it. */
const ORPHAN_MS = 10_000;

export function stepsOf({ nodes, owners }: Pick<Facts, 'nodes' | 'owners'>, own: Own): Steps {
  const members = [...nodes].filter(([, { state }]) => state === 'member');
  const isMember = members.some(([name]) => name === own.node);
  const known = own.cameras.map((camera) => {
    const owner = owners.get(camera.id)?.node;
    return owner === undefined ? camera : { ...camera, owner };
  });
  const placed = place(
    known,
    members.map(([name, { capacity, isBalancing = false }]) => ({ name, capacity, isBalancing })),
  );
  const names = new Set(members.map(([name]) => name));
  const take: string[] = [];
  const waiting: string[] = [];
  let isBalancing = false;
  const moves: Move[] = [];
  const arriving: string[] = [];
  let isPressing = false;
  for (const { id } of known) {
    const [found, wanted] = [owners.get(id), placed.get(id)];
    const owner = found?.node;
    if (owner === undefined && isMember && (wanted === own.node || own.orphanedMs(id) > ORPHAN_MS))
      take.push(id);
    if (owner === own.node && wanted !== undefined && wanted !== own.node) moves.push({ id, to: wanted });
    if (owner !== own.node && found?.to === own.node && isMember) arriving.push(id);
    if (owner !== undefined && names.has(owner) && wanted !== owner) {
      waiting.push(id);
      isBalancing ||= owner === own.node || wanted === own.node;
    }
    if (owner === undefined || (owner === own.node && found?.to !== undefined)) isPressing = true;
  }
  const isDraining = !isMember && nodes.has(own.node);
  // While configurations differ, a camera may have nowhere else to go.
  const agree = new Set([...nodes.values()].map(({ configuration }) => configuration)).size === 1;
  const rank = new Map(waiting.map((id) => [id, hashOf(id)]));
  waiting.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0) || (a < b ? -1 : 1));
  return {
    ...{ waiting, isBalancing: isBalancing && agree },
    ...{ take, moves: isDraining || agree ? moves : [], arriving },
    waitsFor: isPressing || !agree || arriving.length > 0 ? 'time' : moves.length > 0 ? 'patience' : 'none',
  };
}
