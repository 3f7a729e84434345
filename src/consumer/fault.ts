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
  /** A resource of the consumer fails: a disk, a program or a server. No frame is dead-lettered for that reason. */
  | 'paused'
  /** Frames reach the handler late in their life. */
  | 'behind';

/** Thrown by the consumer SDK; `message` never contains a credential. */
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

/** Text of any thrown value. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of any thrown value, if it is a string. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
