/** Violations of the schema, in sentences an operator can act on. */
import type { ErrorObject } from 'ajv';
import type { FoundFault } from './faults';
import { jsonPath, placeOfPointer, valueAt, type Place } from './paths';
import { unknownKey } from './unknown-keys';

/** Values of these keys are never shown: they may hold credentials. */
const SECRET_KEYS: ReadonlySet<unknown> = new Set([
  'url',
  'still',
  'username',
  'password',
  'token',
  'webhook',
  'secret',
  'redis',
  'rabbitmq',
]);

/**
 * All faults that ajv reported, in the order of the file's structure, one for each place.
 * @param written the value that was checked, before defaults were filled in
 * @param hidden JSON paths of values that are not shown
 */
export function schemaFaults(
  errors: readonly ErrorObject[],
  written: unknown,
  hidden: ReadonlySet<string>,
): FoundFault[] {
  const faults = new Map<string, FoundFault>();
  const keysOf = new Map<string, ReadonlySet<string>>();
  const used = (place: Place): ReadonlySet<string> => {
    const path = jsonPath(place);
    const keys = keysOf.get(path) ?? new Set(Object.keys(valueAt(place, written) ?? {}));
    keysOf.set(path, keys);
    return keys;
  };
  for (const error of errors) {
    const at = placeOfPointer(error.instancePath, written);
    const fault = faultOf(error, at, used, hidden);
    if (!faults.has(fault.path)) faults.set(fault.path, fault);
  }
  return [...faults.values()];
}

type Params = Record<string, unknown>;

function faultOf(
  error: ErrorObject,
  at: Place,
  used: (place: Place) => ReadonlySet<string>,
  hidden: ReadonlySet<string>,
): FoundFault {
  const params = error.params as Params;
  if (error.keyword === 'required')
    return { path: jsonPath([...at, String(params['missingProperty'])]), problem: 'is required' };
  if (error.keyword === 'additionalProperties') {
    const key = String(params['additionalProperty']);
    const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
    const section = jsonPath(at).replace(/\[\d+\]/g, '[N]');
    return { path: jsonPath([...at, key]), problem: unknownKey(key, section, known, used(at)) };
  }
  const path = jsonPath(at);
  const problem = problemOf(error, at, hidden.has(path));
  return error.keyword === 'maxItems' ? { path, problem } : { path, problem, illFormed: at };
}

function problemOf(error: ErrorObject, at: Place, isHidden: boolean): string {
  const params = error.params as Params;
  const { description, minimum, maximum } = error.parentSchema as {
    description?: string;
    minimum?: number;
    maximum?: number;
  };
  const found = `found ${shown(error.data, at, isHidden)}`;
  const described = `${found}; expected: ${description ?? 'something else'}`;
  switch (error.keyword) {
    case 'type':
      return Array.isArray(params['type']) ? described : `expected ${String(params['type'])}, ${found}`;
    case 'multipleOf':
      return `expected a multiple of ${String(params['multipleOf'])}, ${found}`;
    case 'enum':
      return `expected one of ${(params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}, ${found}`;
    case 'const':
      return `expected ${JSON.stringify(params['allowedValue'])}, ${found}`;
    case 'minimum':
    case 'maximum': {
      const range = [
        ...(minimum === undefined ? [] : [`at least ${minimum}`]),
        ...(maximum === undefined ? [] : [`at most ${maximum}`]),
      ];
      return `expected ${range.join(' and ')}, ${found}`;
    }
    case 'pattern':
    case 'not':
      return described;
    case 'minLength':
      return Array.isArray((error.parentSchema as Params)['type'])
        ? described
        : 'expected some text, found ""';
    case 'uniqueItems': {
      const { j: first, i: second } = params as { readonly i: number; readonly j: number };
      const [one, other] = [Math.min(first, second), Math.max(first, second)];
      return `entries ${one} and ${other} are the same; remove one of them`;
    }
    case 'minItems':
      return 'expected at least one entry, found none';
    case 'maxProperties':
      return `expected at most ${String(params['limit'])} entries, found ${Object.keys(error.data as object).length}`;
    case 'maxItems':
      return `expected at most ${String(params['limit'])} entries, found ${(error.data as unknown[]).length}`;
    default:
      return `${error.message ?? error.keyword}, ${found}`;
  }
}

function shown(value: unknown, at: Place, isHidden: boolean): string {
  const looksSecret = typeof value === 'string' && /:\/\/|@|\$\{/.test(value);
  if (looksSecret || isHidden || SECRET_KEYS.has(at.at(-1))) return `${typeOf(value)} (not shown)`;
  if (typeof value === 'object' && value !== null) return typeOf(value);
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? 'nothing' : text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
