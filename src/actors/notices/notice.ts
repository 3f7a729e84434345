/** The notices a webhook receives. */

export type NoticeType =
  | 'vigil.camera.offline'
  | 'vigil.camera.quarantined'
  | 'vigil.camera.recovered'
  | 'vigil.actor.quarantined'
  | 'vigil.actor.recovered'
  | 'vigil.spool.filling'
  | 'vigil.spool.recovered';

/** The body of a request. */
export interface NoticeBody {
  readonly type: NoticeType;
  /** When it was noticed, ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    readonly namespace: string;
    /** One sentence for people. */
    readonly message: string;
    /** When the trouble began, ISO 8601. */
    readonly since: string;
    readonly camera?: string;
    /** Tags of the camera, if it has any. */
    readonly tags?: readonly string[];
    readonly actor?: string;
    readonly fault?: { readonly code: string; readonly message: string };
    /** Fill level of the spool, 0 to 1. */
    readonly share?: number;
    /** Why a camera is no longer watched. */
    readonly reason?: 'disabled' | 'removed';
  };
}

/** One that waits. */
export interface Notice {
  /** The same at each attempt: receivers detect repetitions by it. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly body: NoticeBody;
}
