/** The answers of the HTTP API, as its clients see them. Times are milliseconds since the epoch unless a name says otherwise. */

import type { CameraCondition } from '../../../contract/condition';
import type { ProbeReport } from '../../../protocol/probe';

export type { CameraCondition } from '../../../contract/condition';

export interface ApiFault {
  readonly code: string;
  /** What is wrong and what to do, one sentence. */
  readonly message: string;
  readonly at?: number;
}

export interface ApiCamera {
  readonly id: string;
  readonly tags: readonly string[];
  readonly condition: CameraCondition;
  /** When the condition began; for a camera that does not deliver, when its last frame was confirmed. */
  readonly since: number;
  readonly fault?: ApiFault;
  /** Frames confirmed per second over the last minute, and the rate that is configured. */
  readonly rate: number;
  readonly wantedRate: number;
  /** The newest picture, as it is stored. Absent until the first one since the daemon's start. */
  readonly picture?: {
    readonly capturedAt: number;
    readonly width: number;
    readonly height: number;
    readonly format: string;
  };
  readonly confirmedAt?: number;
  readonly restarts: number;
  /** Facts about the feed: codec, sampling mode, seconds between keyframes, milliseconds by which the camera's clock is off. */
  readonly codec?: string;
  readonly sampling?: string;
  readonly keyframeSeconds?: number;
  readonly clockSkewMs?: number;
}

export interface ApiState {
  readonly version: string;
  readonly startedAt: number;
  readonly ready: boolean;
  /** What is wrong with the daemon, one sentence per problem. */
  readonly problems: readonly string[];
  readonly cameras: Readonly<Record<CameraCondition, number>>;
  readonly spool: { readonly waiting: number; readonly bytes: number; readonly oldestAgeMs?: number };
  readonly redis: { readonly ready: boolean; readonly fault?: ApiFault };
  readonly rabbitmq: { readonly ready: boolean; readonly fault?: ApiFault };
  /** The detection queue; absent until the broker has reported it. */
  readonly queue?: ApiQueue;
}

export interface ApiQueue {
  readonly name: string;
  /** Messages waiting in it, and its limit. */
  readonly messages: number;
  readonly limit: number;
  /** Absent if the queue does not exist. */
  readonly consumers?: number;
}

/** GET /api/cameras/ID/crashes: unexpected ends of its process, the newest first. */
export interface ApiCrash {
  readonly at: number;
  /** When the process that ended was ready. */
  readonly startedAt: number;
  readonly code: string;
  /** How it ended: a sentence without its subject. */
  readonly message: string;
  /** The last lines of its process, and of its ffmpeg. */
  readonly lastLines: readonly string[];
  readonly ffmpeg: readonly string[];
}

/** One stretch of a camera's ledger, equal in length within an answer. */
export interface ApiLedgerBucket {
  readonly from: number;
  readonly periods: number;
  readonly confirmed: number;
  /** Periods without a confirmed frame, by reason; the reasons are those of docs/ledger.md. */
  readonly missed: Readonly<Record<string, number>>;
}

/** GET /api/ledger?since=&buckets=&camera= : milliseconds since the epoch, 1 to 1440 buckets, only this camera. */
export interface ApiLedger {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  readonly cameras: Readonly<Record<string, readonly ApiLedgerBucket[]>>;
}

/**
 * GET /api/events, server-sent events. The first is `reset`, or, for a client that reconnects with Last-Event-ID, what has changed
 * since; `reset` again if that is no longer known. Then, at most once a second:
 *
 * - `state`: {@link ApiState}, when it changed
 * - `camera`: {@link ApiCamera}, when more than its picture and `confirmedAt` changed
 * - `removed`: {@link ApiRemoved}, no longer configured
 * - `picture`: {@link ApiPicture}, there is a newer picture
 */
export interface ApiReset {
  readonly state: ApiState;
  readonly cameras: readonly ApiCamera[];
}

export interface ApiRemoved {
  readonly id: string;
}

export interface ApiPicture {
  readonly id: string;
  readonly capturedAt: number;
}

/** A camera as actors.json has it. */
export interface ApiCameraSettings {
  /** Without user name and password, and with secrets removed from URLs: written back unchanged, they change nothing. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names of settings that are there and not shown, or not whole. */
  readonly hidden: readonly string[];
}

/** GET /api/cameras/ID: without settings while the configuration file cannot be read. */
export type ApiCameraDetail = ApiCamera & Partial<ApiCameraSettings>;

export interface ApiChange {
  /** Name of the actor: `camera:ID`. */
  readonly name: string;
  /** Settings that differ. */
  readonly because: readonly string[];
}

/** The changes of an edit of the configuration in the running daemon. */
export interface ApiPlan {
  readonly start: readonly string[];
  readonly stop: readonly string[];
  readonly restart: readonly ApiChange[];
  /** Without a restart. */
  readonly adjust: readonly ApiChange[];
  readonly leave: readonly string[];
}

export interface ApiEdit {
  /** False: only the plan was asked for. */
  readonly applied: boolean;
  /** The camera was not there before. */
  readonly created: boolean;
  readonly plan: ApiPlan;
}

/** What a probe of a feed found; null for what could not be measured. */
export type ApiProbe = Omit<ProbeReport, 'saved'> & {
  /** The first picture, base64. */
  readonly jpeg?: string;
};

/** A fault of the configuration. */
export interface ApiConfigFault {
  /** JSON path, `$.cameras[3].rate`. */
  readonly path: string;
  readonly problem: string;
}

/** Errors, as application/problem+json (RFC 9457). */
export interface ApiProblem {
  /** `about:blank`: the status says what kind it is. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What is wrong and what to do, one sentence. */
  readonly detail?: string;
  /** Stable identifier for programs. */
  readonly code?: string;
  /** For latest.jpg: when the newest picture was captured, which is too old to count as current. */
  readonly capturedAt?: number;
  /** For /readyz: why the daemon is not ready, one sentence per reason. */
  readonly reasons?: readonly string[];
  /** For settings that are not valid. */
  readonly faults?: readonly ApiConfigFault[];
}
