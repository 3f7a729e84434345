/** Errors with a code, and the form in which they travel between processes. */

/** The record that crosses a process boundary instead of an Error. */
export interface FaultRecord {
  /** Stable code for programs; callers switch on it, never on the message. */
  readonly code: string;
  /** Who, what was expected, what was seen: one sentence for people, without credentials. */
  readonly message: string;
}

/** An error that callers distinguish by its code. */
export class Fault extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Fault';
  }

  /** The error that a record describes. */
  static from({ code, message }: FaultRecord, options?: ErrorOptions): Fault {
    return new Fault(code, message, options);
  }
}

/** Codes of faults that end a command or the daemon; `commands/exit-codes.ts` gives each its exit code. */
export type ExitFaultCode =
  | 'bad-url'
  | 'cannot-save'
  | 'cannot-write'
  | 'changed-meanwhile'
  | 'daemon-refused'
  | 'daemon-silent'
  | 'data-directory'
  | 'missing-program'
  | 'namespace-in-use'
  | 'edit-refused'
  | 'fleet-away'
  | 'no-camera'
  | 'no-child'
  | 'no-configuration'
  | 'no-daemon'
  | 'no-endpoints'
  | 'no-ledger'
  | 'no-picture'
  | 'not-permitted'
  | 'port-in-use'
  | 'service-start'
  | 'usage';

/** A fault that ends the program with an exit code of its own. Any other {@link Fault} that does is an internal error. */
export class ExitFault extends Fault {
  constructor(
    override readonly code: ExitFaultCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = 'ExitFault';
  }
}

/** The record of any thrown value; one without a code of ours gets `fallbackCode`. */
export function faultRecord(error: unknown, fallbackCode: string): FaultRecord {
  if (error instanceof Fault) return { code: error.code, message: error.message };
  return { code: fallbackCode, message: error instanceof Error ? error.message : String(error) };
}
