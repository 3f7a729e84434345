/** Exit codes of the program (README, "Exit codes"); 64 and up follow sysexits.h. */
import type { ConfigurationError } from '../config/faults';
import { ExitFault, type ExitFaultCode } from '../fault/fault';

export const EXIT = {
  clean: 0,
  /** `status`: the daemon runs but does not do its work. */
  unhealthy: 1,
  usage: 2,
  noDaemon: 3,
  /** A required program, server, port, file or permission is unavailable. */
  unavailable: 69,
  /** Another edit came first: look at the file, then try again. */
  retry: 75,
  /** Something failed that should not have; the service manager starts the daemon again. */
  failed: 70,
  configuration: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A code without an exit code does not compile. */
const EXIT_OF: Readonly<Record<ExitFaultCode, ExitCode>> = {
  'bad-url': EXIT.configuration,
  'cannot-save': EXIT.unavailable,
  'cannot-write': EXIT.unavailable,
  'changed-meanwhile': EXIT.retry,
  'daemon-refused': EXIT.failed,
  'daemon-silent': EXIT.failed,
  'data-directory': EXIT.unavailable,
  'edit-refused': EXIT.configuration,
  'fleet-away': EXIT.unavailable,
  'missing-program': EXIT.unavailable,
  'namespace-in-use': EXIT.unavailable,
  'no-camera': EXIT.configuration,
  'no-child': EXIT.usage,
  'no-configuration': EXIT.configuration,
  'no-daemon': EXIT.noDaemon,
  'no-endpoints': EXIT.unavailable,
  'no-ledger': EXIT.unavailable,
  'no-picture': EXIT.unavailable,
  'not-permitted': EXIT.unavailable,
  'port-in-use': EXIT.unavailable,
  'service-start': EXIT.unavailable,
  usage: EXIT.usage,
};

/** Keyed by the code alone, because the class is loaded with the configuration, which most commands do not need. */
const EXIT_OF_CONFIGURATION: Readonly<Record<ConfigurationError['code'], ExitCode>> = {
  'invalid-configuration': EXIT.configuration,
  'configuration-not-applied': EXIT.configuration,
  'no-endpoints': EXIT.unavailable,
};

/** The exit code of a program that ends with this error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ExitFault) return EXIT_OF[error.code];
  const { code = '' } = (error ?? {}) as { readonly code?: string };
  return (EXIT_OF_CONFIGURATION as Readonly<Record<string, ExitCode | undefined>>)[code] ?? EXIT.failed;
}
