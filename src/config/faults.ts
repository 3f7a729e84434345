/** Faults of a configuration, and the error that lists all of them. */
import type { Place } from './paths';

/** One fault of a configuration. */
export interface ConfigFault {
  /** JSON path, `$.cameras[3].rate`. */
  readonly path: string;
  /** What was expected there and what was found, as one sentence without its subject. */
  readonly problem: string;
}

/** A fault, and the place of a value that no other rule checks any more; none if a key is missing or unknown. */
export interface FoundFault extends ConfigFault {
  readonly illFormed?: Place;
}

/** `invalid`: no daemon could run with the file. `not-applied`: it is valid, and the running daemon cannot change to it. */
export type Refusal = 'invalid' | 'not-applied';

/** Thrown when a configuration cannot be used; `faults` lists all reasons. */
export class ConfigurationError extends Error {
  readonly code: 'invalid-configuration' | 'configuration-not-applied' | 'no-endpoints';
  constructor(
    readonly file: string,
    readonly faults: readonly ConfigFault[],
    readonly refusal: Refusal = 'invalid',
    options?: ErrorOptions,
  ) {
    const lines = faults.map((fault) => `  ${fault.path}: ${fault.problem}`);
    super(`${refusalText(file, refusal)}, nothing was changed:\n${lines.join('\n')}`, options);
    this.name = 'ConfigurationError';
    this.code = refusal === 'invalid' ? 'invalid-configuration' : 'configuration-not-applied';
  }
}

/** What is wrong with a file, in brief. */
export function refusalText(file: string, refusal: Refusal = 'invalid'): string {
  return refusal === 'invalid'
    ? `${file} is not valid`
    : `${file} is valid, but cannot be applied to the running daemon`;
}
