/** actors.json -> {@link Topology}: reads and parses it. Validity is checked in check.ts, meaning is resolved in resolve.ts. */
import path from 'node:path';
import { TOO_LARGE } from './bounds';
import { checkConfiguration } from './check';
import { readBoundedSync } from './content';
import { ConfigurationError, type ConfigFault } from './faults';
import { withServersOfOther } from './fleet-join';
import { readJson } from './json-text';
import { resolveTopology } from './resolve';
import type { Topology } from './topology';

/**
 * Reads a configuration file.
 * @throws ConfigurationError with all faults when it cannot be read, parsed or used.
 */
export function loadTopology(file: string, environment: NodeJS.ProcessEnv): Topology {
  return parseTopology(readConfiguration(file), file, environment);
}

/** The same for text already read; `file` is named in errors, and relative paths are resolved against its folder. */
export function parseTopology(text: string, file: string, environment: NodeJS.ProcessEnv): Topology {
  const json = readJson(text);
  if (!('value' in json)) throw new ConfigurationError(file, json.faults, 'invalid', { cause: json.cause });
  const folder = path.dirname(path.resolve(file));
  const checked = checkConfiguration(json.value, environment, folder);
  const faults = [...json.faults, ...checked.faults];
  if (faults.length > 0) throw new ConfigurationError(file, faults);
  return withServersOfOther(resolveTopology(checked.file, folder), file, folder);
}

/** @throws ConfigurationError when it cannot be read. */
export function readConfiguration(file: string): string {
  try {
    return readBoundedSync(file);
  } catch (error) {
    throw new ConfigurationError(file, [unreadable(error as NodeJS.ErrnoException)]);
  }
}

/** The fault of a file that could not be read. */
export function unreadable({ code }: NodeJS.ErrnoException): ConfigFault {
  if (code === 'EFBIG') return TOO_LARGE;
  const problem =
    code === 'ENOENT'
      ? 'there is no such file; name the configuration with --config FILE'
      : `cannot be read (${code ?? 'unknown error'}); check its permissions`;
  return { path: '$', problem };
}
