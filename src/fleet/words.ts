/** What a fleet's node says, in sentences. Pure. */
import { Fault } from '../fault/fault';
import type { NodeRecord } from './facts';
import type { Move } from './handover';
import { LEASE_MS } from './lease';
import type { MemberState } from './status';

/** A daemon that gets this fault ends. */
export const NODE_IN_USE = 'node-in-use';

export function nodeInUse(node: string, address: string): Fault {
  return new Fault(
    NODE_IN_USE,
    `node "${node}" of this fleet is the ${address}; give this one another "fleet.node", or stop that daemon`,
  );
}

export const STATE_WORDS: Readonly<Record<MemberState, string>> = {
  joining: 'is joining',
  member: 'is a member',
  draining: 'is draining',
  isolated: `has not reached etcd for ${LEASE_MS / 1000} s: it keeps its cameras, and other nodes may take them too`,
};

/** What a fault of etcd means for this node. */
export function sequelWords(state: MemberState, cameras: number): string {
  if (state === 'joining') return 'this node waits for etcd before it takes cameras';
  return `this node keeps its ${cameras} ${cameras === 1 ? 'camera' : 'cameras'}; none moves until etcd answers`;
}

/** Undefined where all nodes have the same cameras. */
export function differingWords(nodes: ReadonlyMap<string, NodeRecord>, own: string): string | undefined {
  const others = [...nodes].filter(([, { configuration }]) => configuration !== own).map(([name]) => name);
  if (others.length === 0) return undefined;
  return `the camera configuration of ${others.sort().join(', ')} differs from this node's; give all nodes the same cameras and cameraDefaults`;
}

/** A few names, and how many there are. */
export function listOf(ids: readonly string[]): string {
  if (ids.length === 1) return `camera ${ids[0] ?? ''}`;
  return `${ids.length} cameras (${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''})`;
}

export function byNode(moves: readonly Move[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, to } of moves) ids.set(to, [...(ids.get(to) ?? []), id]);
  return ids;
}

export function offerWords(to: string, ids: readonly string[], isDraining: boolean): string {
  return `offers ${listOf(ids)} to ${to}: ${why(isDraining)}`;
}

export function retractWords(ids: readonly string[]): string {
  return `keeps ${listOf(ids)}: the other node has captured no picture, or has no room any more`;
}

export function gaveAwayWords(ids: readonly string[], isDraining: boolean): string {
  return `gave away ${listOf(ids)}: ${why(isDraining)}`;
}

function why(isDraining: boolean): string {
  return isDraining ? 'this node is drained' : 'this node has more than its share';
}
