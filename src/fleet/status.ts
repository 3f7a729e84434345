/** A node's view of its fleet. Pure. */
import { recordOf, type Facts, type OwnerRecord } from './facts';

/** `joining`: etcd has not answered yet. `isolated`: it has not for longer than the lease. */
export type MemberState = 'joining' | 'member' | 'draining' | 'isolated';

export interface FleetStatus {
  readonly fleet: string;
  readonly node: string;
  readonly state: MemberState;
  readonly nodes: readonly {
    readonly name: string;
    readonly address: string;
    readonly state: 'member' | 'draining';
    readonly capacity: number;
    readonly version: string;
    readonly configuration: string;
    readonly cameras: number;
    /** The cost of its cameras relative to its share: 1 is even. */
    readonly load: number;
    /** Measured processor time of its cameras, thousandths of a processor; absent until measured. */
    readonly millicores?: number;
    /** Milliseconds by which its clock is ahead of this node's; absent until known, and for this node. */
    readonly skewMs?: number;
  }[];
  readonly cameras: readonly (OwnerRecord & { readonly id: string })[];
  /** Configured cameras that no node has. */
  readonly unowned: readonly string[];
}

/** @param wanted cameras of the configuration */
export function statusOf(
  own: Pick<FleetStatus, 'fleet' | 'node' | 'state'>,
  facts: Facts,
  wanted: readonly { readonly id: string; readonly weight: number }[],
  skewOf: (node: string) => number | undefined,
): FleetStatus {
  const weights = new Map(wanted.map(({ id, weight }) => [id, weight]));
  const total = wanted.reduce((sum, { weight }) => sum + weight, 0);
  const capacity = [...facts.nodes.values()].reduce((sum, node) => sum + node.capacity, 0);
  const cameras = [...facts.owners].map(([id, owner]) => ({ id, ...recordOf(owner) }));
  return {
    ...own,
    nodes: [...facts.nodes].map(([name, { id: _, beat: __, costs, clockMs: ___, ...record }]) => {
      const mine = facts.owners.of(name);
      const cost = [...mine.keys()].reduce((sum, id) => sum + (weights.get(id) ?? 0), 0);
      const share = (total * record.capacity) / capacity;
      const skewMs = skewOf(name);
      const measured = Object.values(costs ?? {}).reduce((sum, cost) => sum + cost, 0);
      return {
        ...{ name, ...record, cameras: mine.size, load: share === 0 ? 0 : cost / share },
        ...(measured === 0 ? {} : { millicores: Math.round(measured) }),
        ...(skewMs === undefined ? {} : { skewMs }),
      };
    }),
    cameras,
    unowned: wanted.map(({ id }) => id).filter((id) => !facts.owners.has(id)),
  };
}
