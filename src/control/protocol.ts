/** Requests and answers of the control socket. */
import type { ShownSettings } from '../config/edit/hidden';
import type { ConfigFault, Refusal } from '../config/faults';
import type { FleetStatus } from '../fleet/status';
import type { ProbeOutcome } from '../protocol/probe';
import type { DeliveryStatus } from '../supervisor/health';
import type { EditOutcome } from '../supervisor/operations';
import type { ConfigurationState } from '../supervisor/live-configuration';
import type { Plan } from '../supervisor/plan';
import type { ChildStatus } from '../supervisor/status';

/** Its name in the data directory. */
export const CONTROL_SOCKET = 'vigil.sock';

export interface DaemonStatus {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Frames are stored and announced. */
  readonly ready: boolean;
  readonly configuration: ConfigurationState;
  readonly delivery: DeliveryStatus;
  /** Why the daemon is not healthy, a sentence each; empty when it is. */
  readonly problems: readonly string[];
  /** Why all times are wrong, if this machine's clock has not been set. */
  readonly clockUnset?: string;
  /** On a node of a fleet. */
  readonly fleet?: Pick<FleetStatus, 'fleet' | 'node' | 'state'>;
  readonly children: readonly ChildStatus[];
}

export interface PlanRequest {
  readonly file: string;
  readonly text: string;
}

export type PlanAnswer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'refused';
      readonly file: string;
      readonly refusal: Refusal;
      readonly faults: readonly ConfigFault[];
    };

/** Why a request of an operator is refused. */
export interface RefusedAnswer {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
  readonly faults: readonly ConfigFault[];
}

export type CameraSettings = ShownSettings & {
  /** ETag of the configuration file. */
  readonly etag: string;
};

export type Answered<T> = { readonly kind: 'done'; readonly outcome: T } | RefusedAnswer;
export type EditAnswer = Answered<EditOutcome>;
export type CameraAnswer = Answered<CameraSettings>;
export type ProbeAnswer = Answered<ProbeOutcome>;
export type RestartAnswer = Answered<null>;

/** `draining`: the daemon ends when all cameras have been given away. `alone`: it is not a node of a fleet. */
export type DrainAnswer =
  { readonly kind: 'draining'; readonly cameras: number } | { readonly kind: 'alone' };

/** Which lines of the log; `follow`: also all new ones, until the daemon ends. */
export interface LogRequest {
  /** Name of an actor; all actors if absent. */
  readonly actor?: string;
  /** Number of kept lines to return, the newest. */
  readonly lines: number;
  readonly follow: boolean;
}

/** The answer instead of lines, with status 404. */
export interface NoSuchLog {
  readonly names: readonly string[];
}
