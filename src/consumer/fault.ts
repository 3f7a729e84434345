/** The faults of a consumer, as codes that a program can switch on. */

/** Stable codes; a fault's text is for people only. */
export type FaultCode =
  | 'invalid-option'
  | 'redis-unreachable'
  | 'redis-refused'
  | 'rabbitmq-unreachable'
  | 'rabbitmq-refused'
  | 'queue-missing'
  | 'invalid-message'
  | 'expired'
  | 'handler-failed'
  | 'undecodable'
  | 'not-removed'
  | 'output-failed'
  | 'no-ffmpeg'
  /** A resource of the consumer's own fails: a disk, a program, a server it uses. No frame is dead-lettered for it. */
  | 'paused'
  /** Frames come to their turn late in their life. */
  | 'behind';

/** Thrown by this room; `message` never contains a credential. */
export class ConsumerError extends Error {
  constructor(
    readonly code: FaultCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ConsumerError';
  }
}

/** Thrown for a picture that will never decode, however often it is tried. */
export class UndecodableError extends Error {
  readonly code = 'undecodable';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UndecodableError';
  }
}

/** One report to `onFault`. */
export interface ConsumerFault {
  readonly code: FaultCode;
  /** One sentence: subject, what was expected, what was seen. */
  readonly message: string;
  /** Faults of this code since the last report of it, this one included. */
  readonly count: number;
  /** The error thrown by a handler. */
  readonly cause?: unknown;
}

/** Text of anything thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of anything thrown, if it has one that is a string. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
