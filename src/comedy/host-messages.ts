/** What the host and its side of each actor send each other: the messages of the actor, and those about its start and end. */
import type { LogLevel } from '../log/log';
import type { ActorCommand, ActorReport } from '../protocol/messages';

/** comedy's custom parameters for every actor. */
export interface StartParameters {
  readonly name: string;
  /** Absolute path of the actor module. */
  readonly module: string;
  readonly logLevel: LogLevel;
  readonly parameters: unknown;
}

export type HostCommand =
  /** The first message: work begins here and not in `initialize`, where a message to the parent would deadlock. */
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'log-level'; readonly level: LogLevel }
  /** An edit has changed the actor's parameters; answered by the report `changed`. */
  | { readonly kind: 'parameters'; readonly parameters: unknown }
  | ActorCommand;

/** `stopped` is the last report of an actor: everything it started has ended. */
export type HostReport = { readonly kind: 'stopped' } | ActorReport;
