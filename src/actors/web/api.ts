/** What the HTTP API answers, as its clients see it. Times are milliseconds since the epoch unless a name says otherwise. */

/** How a camera stands, the worst that is true of it. */
export type CameraCondition = 'delivering' | 'starting' | 'waiting' | 'offline' | 'quarantined' | 'disabled';

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
  /** When the condition began. */
  readonly since: number;
  readonly fault?: ApiFault;
  /** Frames confirmed per second over the last minute, and the rate that is configured. */
  readonly rate: number;
  readonly wantedRate: number;
  /** The newest picture: when it was captured, and its URL's entity tag. Absent until there is one. */
  readonly picture?: {
    readonly capturedAt: number;
    readonly width: number;
    readonly height: number;
    readonly format: string;
  };
  readonly confirmedAt?: number;
  readonly restarts: number;
  /** Of the feed: codec, sampling mode, seconds between keyframes, milliseconds the camera's clock is off. */
  readonly codec?: string;
  readonly sampling?: string;
  readonly keyframeSeconds?: number;
  readonly clockSkewMs?: number;
}

export interface ApiState {
  readonly version: string;
  readonly startedAt: number;
  readonly ready: boolean;
  /** What is wrong with the daemon, a sentence each. */
  readonly problems: readonly string[];
  readonly cameras: Readonly<Record<CameraCondition, number>>;
  readonly spool: { readonly waiting: number; readonly bytes: number; readonly oldestAgeMs?: number };
  readonly redis: { readonly ready: boolean; readonly fault?: ApiFault };
  readonly rabbitmq: { readonly ready: boolean; readonly fault?: ApiFault };
}

/** One stretch of a camera's ledger, equal in length within an answer. */
export interface ApiLedgerBucket {
  readonly from: number;
  readonly periods: number;
  readonly confirmed: number;
  /** Periods without a confirmed frame by reason; the reason is a word of docs/ledger.md. */
  readonly missed: Readonly<Record<string, number>>;
}

export interface ApiLedger {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  readonly cameras: Readonly<Record<string, readonly ApiLedgerBucket[]>>;
}
