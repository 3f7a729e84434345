/** What a node of a fleet is given. */
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
  /** Resolves after so long, or at once when `signal` is aborted. */
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
  /** The data directory, and who runs on it. */
  readonly holder: { readonly id: string; readonly name: string };
  readonly capacity: number;
  readonly version: string;
  /** Of the present configuration: while it is the same array, they are the same cameras. */
  readonly cameras: () => readonly FleetCamera[];
  /** Measures what the cameras cost here, thousandths of a processor; nothing is measured without. */
  readonly costs?: () => Readonly<Record<string, number>>;
  /** What names it: other nodes with the same run the same cameras. Undefined until this node knows those of the fleet. */
  readonly configuration: () => string | undefined;
  /** That credentials are sealed with. */
  readonly secret: Buffer | undefined;
  readonly log: Log;
  /** Runs these cameras, those that arrive beside their owners, and no others; resolves when the others have stopped. */
  readonly onHeld: (ids: ReadonlySet<string>, arriving: Arriving) => Promise<void>;
  /** Another daemon is the node of that name. */
  readonly onRefused: (fault: FaultRecord) => void;
}
