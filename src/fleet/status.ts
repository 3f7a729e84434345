/** What a node tells of its fleet. */

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
  }[];
  readonly cameras: readonly { readonly id: string; readonly node: string; readonly sinceMs: number }[];
}
