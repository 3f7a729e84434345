/**
 * The cameras a configuration names, read without checking anything else: for commands that only choose among them. What a daemon
 * would refuse, and variables that are not set in this shell, do not matter here.
 */
import { ConfigurationError } from './faults';
import { readJson } from './json-text';
import { readConfiguration } from './load';

export interface NamedCamera {
  readonly id: string;
  readonly tags: readonly string[];
}

/** @throws ConfigurationError when the file cannot be read or is not JSON */
export function namedCameras(file: string): NamedCamera[] {
  const json = readJson(readConfiguration(file));
  if (!('value' in json)) throw new ConfigurationError(file, json.faults, 'invalid', { cause: json.cause });
  const { cameras } = (json.value ?? {}) as { readonly cameras?: unknown };
  return list(cameras).flatMap((entry) => {
    const { id, tags } = (entry ?? {}) as { readonly id?: unknown; readonly tags?: unknown };
    return typeof id === 'string' ? [{ id, tags: list(tags).filter((tag) => typeof tag === 'string') }] : [];
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
