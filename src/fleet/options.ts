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
  /** Its rate: counts as long as its cost is not measured. */
  readonly weight: number;
  /** It allows one viewer at a time. */
  readonly isSingle: boolean;
}

export interface FleetClock {
  /** Milliseconds, of a clock that is never set. */
  readonly now: () => number;
  /** Resolves after that time, or at once when `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface FleetOptions {
  readonly etcd: FleetEtcd;
  /** The machine's own without. */
  readonly clock?: FleetClock;
  /** Where cameras belong: a pure function, which nodes in one process may compute together. */
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
  /** What names it: other nodes with the same run the same cameras. Undefined until this node knows those of the fleet. */
  readonly configuration: () => string | undefined;
  /** That credentials are sealed with. */
  readonly secret: Buffer | undefined;
  readonly log: Log;
  /** Runs these cameras, those arriving in parallel with their owners, and no others; resolves when the others have stopped. */
  readonly onHeld: (ids: ReadonlySet<string>, arriving: Arriving) => Promise<void>;
  /** Another daemon is the node of that name. */
  readonly onRefused: (fault: FaultRecord) => void;
}
