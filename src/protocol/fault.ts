/** Errors with a code, and their form on the way between processes. */

/** What crosses a process boundary instead of an Error. */
export interface FaultRecord {
  /** Stable word for programs; callers switch on it, never on the message. */
  readonly code: string;
  /** Who, what was expected, what was seen: one sentence for people, without credentials. */
  readonly message: string;
}

/** An error callers can tell apart by its code. */
export class Fault extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Fault';
  }
}

/** The record of anything thrown; what carries no code of ours becomes `fallbackCode`. */
export function faultRecord(error: unknown, fallbackCode: string): FaultRecord {
  if (error instanceof Fault) return { code: error.code, message: error.message };
  return { code: fallbackCode, message: error instanceof Error ? error.message : String(error) };
}
