/** Turns what ajv found into sentences an operator can act on. */
import type { ErrorObject } from 'ajv';
import { closest, distance } from 'fastest-levenshtein';

/** One fault of a configuration. */
export interface ConfigFault {
  /** JSON path, `$.cameras[3].rate`. */
  readonly path: string;
  /** What was expected there and what was found, as one sentence without its subject. */
  readonly problem: string;
}

/** Thrown when a configuration cannot be used; `faults` lists all of them. */
export class ConfigurationError extends Error {
  readonly code = 'invalid-configuration';
  constructor(
    readonly file: string,
    readonly faults: readonly ConfigFault[],
    options?: ErrorOptions,
  ) {
    const lines = faults.map((fault) => `  ${fault.path}: ${fault.problem}`);
    super(`${file} is not valid, nothing was changed:\n${lines.join('\n')}`, options);
    this.name = 'ConfigurationError';
  }
}

/** `/cameras/3/rate` (JSON pointer) as `$.cameras[3].rate`. */
export function jsonPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => path + (/^\d+$/.test(part) ? `[${part}]` : `.${part}`), '$');
}

/** Values below these keys are never shown: they may hold credentials. */
const SECRET_PATH = /\/(url|still|username|password|redis|rabbitmq)$/;

function shown(value: unknown, pointer: string, hidden: ReadonlySet<string>): string {
  const looksSecret = typeof value === 'string' && /:\/\/|@|\$\{/.test(value);
  if (looksSecret || hidden.has(pointer) || SECRET_PATH.test(pointer)) return `${typeOf(value)} (not shown)`;
  if (typeof value === 'object' && value !== null) return typeOf(value);
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? 'nothing' : text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = closest(key, known);
  // Two edits cover swapped letters.
  const alike = distance(key, nearest) <= Math.max(2, key.length / 3);
  return `unknown key; ${alike ? `did you mean "${nearest}"?` : `known here: ${known.join(', ')}`}`;
}

type Params = Record<string, unknown>;

function problemOf(error: ErrorObject, hidden: ReadonlySet<string>): string {
  const params = error.params as Params;
  const found = `found ${shown(error.data, error.instancePath, hidden)}`;
  switch (error.keyword) {
    case 'type':
      return `expected ${String(params['type'])}, ${found}`;
    case 'enum':
      return `expected one of ${(params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}, ${found}`;
    case 'const':
      return `expected ${JSON.stringify(params['allowedValue'])}, ${found}`;
    case 'minimum':
    case 'maximum': {
      const { minimum, maximum } = error.parentSchema as { minimum?: number; maximum?: number };
      const range = [
        minimum === undefined ? '' : `at least ${String(minimum)}`,
        maximum === undefined ? '' : `at most ${String(maximum)}`,
      ];
      return `expected ${range.filter((part) => part !== '').join(' and ')}, ${found}`;
    }
    case 'pattern':
    case 'anyOf': {
      const { description } = error.parentSchema as { description?: string };
      return `${found}; expected: ${description ?? error.message ?? 'something else'}`;
    }
    case 'minLength':
      return 'expected some text, found ""';
    case 'required':
      return 'is required';
    default:
      return `${error.message ?? error.keyword}, ${found}`;
  }
}

/** Where a fault is: a missing or unknown key is named itself, not the object around it. */
function pointerOf(error: ErrorObject): string {
  const params = error.params as Params;
  if (error.keyword === 'required') return `${error.instancePath}/${String(params['missingProperty'])}`;
  if (error.keyword === 'additionalProperties')
    return `${error.instancePath}/${String(params['additionalProperty'])}`;
  return error.instancePath;
}

/**
 * Under a failed union, what its branches complained about is noise, except where the value is an object: then
 * the complaints of the object branch are the ones that help.
 */
function isNoise(error: ErrorObject, unions: readonly ErrorObject[]): boolean {
  if (error.keyword === 'anyOf') {
    return typeof error.data === 'object' && error.data !== null && !Array.isArray(error.data);
  }
  return unions.some(
    (union) =>
      error.schemaPath.startsWith(`${union.schemaPath}/`) &&
      error.instancePath === union.instancePath &&
      error.keyword !== 'additionalProperties',
  );
}

/**
 * All faults ajv reported, in the order of the file's structure, one per place.
 * @param hidden JSON pointers of values that are not shown
 */
export function faultsOf(errors: readonly ErrorObject[], hidden: ReadonlySet<string>): ConfigFault[] {
  const faults = new Map<string, ConfigFault>();
  // Two at most: only what is said of a server is a union.
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf');
  for (const error of errors) {
    if (isNoise(error, unions)) continue;
    const path = jsonPath(pointerOf(error));
    const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
    const problem =
      error.keyword === 'additionalProperties'
        ? unknownKey(String((error.params as Params)['additionalProperty']), known)
        : problemOf(error, hidden);
    if (!faults.has(path)) faults.set(path, { path, problem });
  }
  return [...faults.values()];
}
