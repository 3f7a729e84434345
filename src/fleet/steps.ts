/** What a member does about the facts it sees: which cameras it takes, and which it gives away. Pure. */
import type { Facts } from './facts';
import type { Move } from './handover';

export interface Relocations {
  /** New nodes for cameras on other nodes and for unowned ones. */
  readonly relocated: ReadonlyMap<string, string>;
  /** Cameras of members that belong elsewhere, in an order that is the same for all nodes. */
  readonly waiting: readonly string[];
  /** Unowned cameras. */
  readonly unowned: readonly string[];
}

export interface Own {
  readonly node: string;
  /** Whether a camera is in this node's configuration. */
  readonly has: (id: string) => boolean;
  /** For how long a camera has been unowned, milliseconds; 0 for an owned one. */
  readonly orphanedMs: (id: string) => number;
}

export interface Steps extends Pick<Relocations, 'waiting'> {
  readonly take: readonly string[];
  /** Where its cameras belong that do not belong here. */
  readonly moves: readonly Move[];
  /** Whether cameras have to move for the balance of this node. */
  readonly isBalancing: boolean;
  /** Cameras of other nodes that this node captures in parallel, to adopt them. */
  readonly arriving: readonly string[];
  /**
   * `none`: nothing to do until a fact changes. `patience`: cameras of this node only wait for others to have moved.
   * `time`: cameras are moving, or unowned.
   */
  readonly waitsFor: 'none' | 'patience' | 'time';
}

/** A camera that its new node has not taken by then is taken by any other: that node may not know it. */
const ORPHAN_MS = 10_000;

/** @param plan computed from these facts */
export function stepsOf(
  { relocated, waiting, unowned }: Relocations,
  { nodes, owners }: Pick<Facts, 'nodes' | 'owners'>,
  { node, has, orphanedMs }: Own,
): Steps {
  const state = nodes.get(node)?.state;
  const isMember = state === 'member';
  const own = owners.of(node);
  const take = unowned.filter((id) => isMember && (relocated.get(id) === node || orphanedMs(id) > ORPHAN_MS));
  const moves = [...relocated].flatMap(([id, to]) => (own.has(id) ? [{ id, to }] : []));
  const arriving = [...owners.offeredTo(node).keys()].filter((id) => isMember && !own.has(id) && has(id));
  // While configurations differ, a camera may have nowhere else to go.
  const agree = new Set([...nodes.values()].map(({ configuration }) => configuration)).size === 1;
  const isOnItsWay = [...own].some(([id, { to }]) => to !== undefined && has(id));
  const isPressing = unowned.length > 0 || isOnItsWay || arriving.length > 0;
  return {
    ...{ take, waiting, arriving },
    moves: state === 'draining' || agree ? moves : [],
    isBalancing: agree && waiting.some((id) => own.has(id) || relocated.get(id) === node),
    waitsFor: isPressing || !agree ? 'time' : moves.length > 0 ? 'patience' : 'none',
  };
}
