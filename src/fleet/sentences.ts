/** The sentences in which a node of a fleet reports. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../fault/fault';
import type { NodeRecord } from './facts';
import type { Move } from './handover';
import { LEASE_MS } from './lease';
import type { Publication, Shared } from './publication';
import type { MemberState } from './status';

/** A daemon that gets this fault ends. */
export const NODE_IN_USE = 'node-in-use';

export function nodeInUse(node: string, address: string): Fault {
  return new Fault(
    NODE_IN_USE,
    `node "${node}" of this fleet is the ${address}; give this one another "fleet.node", or stop that daemon`,
  );
}

/** The key of a node's name was written by something else. */
export function nameTaken(node: string, key: string): Fault {
  return new Fault(
    NODE_IN_USE,
    `the key ${key} in etcd, which node "${node}" of this fleet needs, has a value that no node has written; delete it if nothing else needs it, or give this node another "fleet.node"`,
  );
}

export const STATE_TEXTS: Readonly<Record<MemberState, string>> = {
  joining: 'is joining',
  member: 'is a member',
  draining: 'is draining',
  isolated: `has not reached etcd for ${LEASE_MS / 1000} s: it keeps its cameras, and other nodes may take them too`,
};

/** What a fault of etcd means for this node. */
export function sequelText(state: MemberState, cameras: number): string {
  if (state === 'joining') return 'this node waits for etcd before it takes cameras';
  return `this node keeps its ${cameras} ${cameras === 1 ? 'camera' : 'cameras'}; none moves until etcd answers`;
}

/** Undefined if all nodes have the same cameras. */
export function differingSentence(nodes: ReadonlyMap<string, NodeRecord>, own: string): string | undefined {
  const others = [...nodes].filter(([, { configuration }]) => configuration !== own).map(([name]) => name);
  if (others.length === 0) return undefined;
  const who = others.length === 1 ? `node ${others[0] ?? ''} runs` : `nodes ${others.sort().join(', ')} run`;
  return `${who} by another configuration than this node, and no camera moves for balance; \`status\` on each node says which revision of the cameras it has and why, and "namespace" must be the same on all`;
}

/** @param far milliseconds by which the clock of each is ahead */
export function skewText(far: ReadonlyMap<string, number>): string {
  const said = [...far].map(
    ([name, ms]) =>
      `node ${name} is ${(Math.abs(ms) / 1000).toFixed(1)} s ${ms > 0 ? 'ahead of' : 'behind'} this one's`,
  );
  return `the clock of ${said.join(', that of ')}; keep all nodes' clocks together with NTP: a camera that moves between such nodes misses up to as many seconds as their clocks differ`;
}

export function publicationText({ revision }: Pick<Publication, 'revision'>): string {
  return `published revision ${revision} of the fleet's cameras`;
}

/** What an edit does to the fleet's cameras, by their ids. */
export function changeText(before: Shared, after: Shared): string {
  const [old, present] = [byId(before), byId(after)];
  const changes: readonly [string, readonly string[]][] = [
    ['adds', [...present.keys()].filter((id) => !old.has(id))],
    ['removes', [...old.keys()].filter((id) => !present.has(id))],
    [
      'changes',
      [...present.keys()].filter((id) => old.has(id) && !isDeepStrictEqual(old.get(id), present.get(id))),
    ],
  ];
  const said = changes.filter(([, ids]) => ids.length > 0).map(([verb, ids]) => `${verb} ${listOf(ids)}`);
  const defaults = isDeepStrictEqual(before.cameraDefaults, after.cameraDefaults)
    ? []
    : ['changes cameraDefaults'];
  return [...said, ...defaults].join(', ') || 'another order of the cameras';
}

function byId({ cameras }: Shared): Map<string, unknown> {
  return new Map(cameras.map((camera) => [String((camera as { readonly id?: unknown }).id), camera]));
}

/** A few names, and the number of all. */
export function listOf(ids: readonly string[]): string {
  if (ids.length === 1) return `camera ${ids[0] ?? ''}`;
  return `${ids.length} cameras (${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''})`;
}

export function byNode(moves: readonly Move[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, to } of moves) ids.set(to, [...(ids.get(to) ?? []), id]);
  return ids;
}

export function offerSentence(to: string, ids: readonly string[], isDraining: boolean): string {
  return `offers ${listOf(ids)} to ${to}: ${why(isDraining)}`;
}

export function retractSentence(ids: readonly string[]): string {
  return `keeps ${listOf(ids)}: the other node has captured no picture, or has no room any more`;
}

export function gaveAwaySentence(ids: readonly string[], isDraining: boolean): string {
  return `gave away ${listOf(ids)}: ${why(isDraining)}`;
}

function why(isDraining: boolean): string {
  return isDraining ? 'this node is drained' : 'this node has more than its share';
}
