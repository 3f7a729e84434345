/** What actors and the supervisor send each other: small records, never picture bytes. */
import type {
  CameraSpec,
  HttpSpec,
  QueueSpec,
  ServiceSpec,
  SpoolSpec,
  WebhookSpec,
} from '../config/topology';
import type { Frame } from '../contract/frame';
import type { CameraTags } from '../contract/tags';
import type { Holder } from '../connections/namespace-lease';
import type { CameraState, Gap } from '../contract/message';
import type { FaultRecord } from '../fault/fault';
import type { Numbered } from './numbered';
import type { Heartbeat } from './progress';

/** Camera to supervisor. `frame` means: renamed into the spool, where the store will find it. */
export type CameraReport =
  /** From this period on, frames and gaps are numbered by periods of this length; also sent at the start. */
  | {
      readonly kind: 'periods';
      readonly camera: string;
      readonly periodMs: number;
      readonly firstSequence: number;
    }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'camera-state'; readonly state: CameraState }
  | { readonly kind: 'gap'; readonly gap: Gap }
  /** What ffmpeg wrote to standard error: kept in case this process crashes. */
  | { readonly kind: 'feed-said'; readonly lines: readonly string[] };

/** A frame's period, as the ledger counts it. */
type Period = Pick<Frame, 'camera' | 'sequence'>;
export type DeliveredFrame = Period & { readonly delayed: boolean };

/**
 * Store to supervisor. `announce`: the frame's bytes are in Redis, its key may be announced. Then every captured frame
 * has one of two outcomes, which is reported once (again only if the store died in between): `delivered`, stored and
 * confirmed by the broker; or `dropped`, removed by a bound the operator set or because its file is damaged or missing.
 */
export type StoreReport =
  | { readonly kind: 'announce'; readonly frame: Frame; readonly delayed: boolean }
  | { readonly kind: 'delivered'; readonly frames: readonly DeliveredFrame[] }
  | { readonly kind: 'dropped'; readonly frames: readonly (Period & { readonly reason: string })[] }
  /** Redis has evicted this many more keys. It does not say which: frames that were announced, or keys of others. */
  | { readonly kind: 'evicted'; readonly keys: number };

/** Notifier to supervisor: the broker has confirmed the frame's message, or `fault` says why not. */
export type NotifierReport = {
  readonly kind: 'announced';
  readonly id: string;
  readonly fault?: FaultRecord | undefined;
};

/** Notifier to supervisor: the broker has confirmed the event of a gap. */
export type GapReport = { readonly kind: 'gap-told'; readonly gap: Gap };

/** Every actor: whether it can do its work now, that is, whether its server answers. */
export type ReadinessReport = { readonly kind: 'readiness'; readonly fault?: FaultRecord | undefined };

/** Web to supervisor: clients reach it at this URL from now on. */
export type ServingReport = { readonly kind: 'serving'; readonly url: string };

/** Every actor, once a second. */
export type HeartbeatReport = { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat };

/** Every actor: it uses the parameters it was given last, or cannot yet. */
export type ChangedReport = { readonly kind: 'changed' };

export type ActorReport =
  | CameraReport
  | StoreReport
  | NotifierReport
  | GapReport
  | ReadinessReport
  | ServingReport
  | HeartbeatReport
  | ChangedReport;

/** Supervisor to actors. */
export type ActorCommand =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'announce'; readonly frame: Frame; readonly delayed: boolean }
  | NotifierReport
  /** The notifier's process has gone: its outstanding answers will not arrive. */
  | { readonly kind: 'notifier-lost' }
  /** The notifier can announce again. */
  | { readonly kind: 'notifier-ready' }
  | { readonly kind: 'camera-state'; readonly state: CameraState }
  | { readonly kind: 'gap'; readonly gap: Gap };

/** Parameters of the actors, given once at their start. */
export interface CameraParameters {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  readonly spoolDir: string;
  /** Bytes of the spool's disk that are left free. */
  readonly minFreeBytes: number;
  /** Where the newest picture of each camera is kept for viewers; absent if it is not needed. */
  readonly newestDir?: string;
  /** In a fleet: a picture taken by the previous node, from which the numbering of periods continues. */
  readonly continues?: Numbered;
}

/** The parameters with which a node of a fleet claims sampling periods. */
export interface ClaimParameters {
  /** Name of the node. */
  readonly node: string;
  /** Its data directory: the same after a restart. */
  readonly token: string;
  /** Folder of its ledger, which is copied for the other nodes. */
  readonly ledgerDir: string;
  /** Milliseconds for which the record of announced periods is kept. */
  readonly keepMs: number;
}

export interface StoreParameters {
  readonly holder: Holder;
  /** In a fleet. */
  readonly claims?: ClaimParameters;
  readonly redisUrl: string;
  readonly namespace: string;
  readonly expireMs: number;
  readonly spoolDir: string;
  readonly drainMs: number;
  readonly durability: 'memory' | 'durable';
  readonly spool: SpoolSpec;
}

export interface NotifierParameters {
  readonly amqpUrl: string;
  readonly namespace: string;
  readonly expireMs: number;
  readonly queue: QueueSpec;
  readonly services?: readonly ServiceSpec[];
  /** Names of services whose queues are to be deleted. */
  readonly removedServices?: readonly string[];
  readonly tags?: CameraTags;
  /** Name of this node, in a fleet. */
  readonly node?: string;
  readonly tracing?: boolean;
  /** Where the notifier keeps the names of the queues it has declared. */
  readonly queuesFile?: string;
}

export interface NoticesParameters {
  readonly namespace: string;
  readonly webhooks: readonly WebhookSpec[];
  readonly spool: Pick<SpoolSpec, 'maxBytes' | 'maxFrames' | 'maxAgeMs'>;
  readonly dataDir: string;
}

export interface WebParameters extends HttpSpec {
  readonly dataDir: string;
  readonly newestDir: string;
  /** Decodes keyframes that are stored unchanged. */
  readonly ffmpeg: string;
}
