/** The options of a node of a fleet. */
import type { Etcd } from '../etcd/etcd';
import type { FaultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import type { Arriving } from '../protocol/numbered';
import type { relocations } from './placement';

export type FleetEtcd = Pick<
  Etcd,
  'watch' | 'rewatch' | 'get' | 'transact' | 'grant' | 'keepAlive' | 'revoke' | 'close'
>;

export interface FleetCamera {
  readonly id: string;
  /** Its rate: used until its cost is measured. */
  readonly weight: number;
  /** Whether the camera allows only one viewer at a time. */
  readonly isSingle: boolean;
}

export interface FleetClock {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Resolves after that time, or at once when `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface FleetOptions {
  readonly etcd: FleetEtcd;
  /** The machine's own if absent. */
  readonly clock?: FleetClock;
  /** Where cameras belong: a pure function, whose results nodes in one process may share. */
  readonly placement?: typeof relocations;
  readonly name: string;
  readonly node: string;
  /** The data directory, and the daemon that uses it. */
  readonly holder: { readonly id: string; readonly name: string };
  readonly capacity: number;
  readonly version: string;
  /** Cameras of the present configuration: an identical array means identical cameras. */
  readonly cameras: () => readonly FleetCamera[];
  /** Costs of the cameras on this node, thousandths of a processor; without it nothing is measured. */
  readonly costs?: () => Readonly<Record<string, number>>;
  /** Name of the configuration, the same for the same cameras; undefined until this node knows the fleet's. */
  readonly configuration: () => string | undefined;
  /** The key that credentials are sealed with. */
  readonly secret: Buffer | undefined;
  readonly log: Log;
  /** Runs these cameras, those arriving in parallel with their owners, and no others; resolves when the others have stopped. */
  readonly onHeld: (ids: ReadonlySet<string>, arriving: Arriving) => Promise<void>;
  /** Another daemon uses this node's name. */
  readonly onRefused: (fault: FaultRecord) => void;
}
