/** The options of a supervisor. */
import type { Frame } from '../contract/frame';
import type { Topology } from '../config/topology';
import type { FaultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import type { DataDirectory } from './data-directory';

export interface SupervisorOptions {
  readonly topology: Topology;
  readonly data: DataDirectory;
  readonly log: Log;
  /** Take the namespace from a daemon that holds it. */
  readonly force?: boolean;
  /** Store and notifier reach their servers: the daemon does its work. Called once. */
  readonly onReady: () => void;
  /** A required child exceeded its intensity: stop, so that the service manager can restart the daemon. */
  readonly onEscalation: (fault: FaultRecord) => void;
  /** A camera's picture is in the spool. */
  readonly onCaptured?: (frame: Frame) => void;
}
