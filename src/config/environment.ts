/** `${NAME}` in any string of the configuration stands for an environment variable; `$${` for a literal `${`. */
import type { FoundFault } from './faults';
import { jsonPath, type Place } from './paths';

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;
/** Limit for one text: each reference may expand to a long value. */
const MAX_REFERENCES = 100;
const TOO_MANY = `holds more than ${MAX_REFERENCES} references to environment variables; write the text itself into one variable`;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The result of replacing the references. */
export interface Substitution {
  readonly value: unknown;
  readonly faults: readonly FoundFault[];
  /** JSON paths of texts that contain a value from the environment, which may be secret. */
  readonly replaced: ReadonlySet<string>;
}

/** A copy of `value` with every reference replaced. */
export function substituteEnvironment(value: unknown, environment: NodeJS.ProcessEnv): Substitution {
  const faults: FoundFault[] = [];
  const replaced = new Set<string>();
  const substitute = (item: unknown, place: Place): unknown => {
    if (typeof item === 'string') return item.includes('${') ? text(item, place) : item;
    if (Array.isArray(item)) return item.map((entry, i) => substitute(entry, [...place, i]));
    if (typeof item !== 'object' || item === null) return item;
    const entries = Object.entries(item);
    return Object.fromEntries(entries.map(([key, entry]) => [key, substitute(entry, [...place, key])]));
  };
  const text = (item: string, place: Place): string => {
    // An unclosed reference is not searched for its end again and again.
    const end = item.lastIndexOf('}') + 1;
    return references(item.slice(0, end), place) + item.slice(end).replaceAll('$${', () => '${');
  };
  const references = (item: string, illFormed: Place): string => {
    const path = jsonPath(illFormed);
    let count = 0;
    return item.replace(REFERENCE, (_, name: string | undefined) => {
      if (name === undefined) return '${';
      replaced.add(path);
      if (++count > MAX_REFERENCES) {
        if (count === MAX_REFERENCES + 1) faults.push({ path, problem: TOO_MANY, illFormed });
        return '';
      }
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (NAME.test(name) && value !== undefined) return value;
      faults.push({ path, problem: problemOf(name), illFormed });
      return '';
    });
  };
  return { value: substitute(value, []), faults, replaced };
}

function problemOf(name: string): string {
  return NAME.test(name)
    ? `the environment variable ${name} is not set; set it, or write $\${${name}} for the literal text`
    : 'holds a ${...} that names no environment variable; expected letters, digits and "_", or $${ for a literal ${';
}
