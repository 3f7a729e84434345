/** `${NAME}` in any string of the configuration stands for an environment variable; `$${` for a literal `${`. */
import { jsonPath, type ConfigFault } from './faults';

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A copy of `value` with every reference replaced; what could not be is added to `faults`. */
export function substituteEnvironment(
  value: unknown,
  environment: NodeJS.ProcessEnv,
  faults: ConfigFault[],
  pointer = '',
): unknown {
  if (typeof value === 'string') return substituteText(value, environment, faults, pointer);
  if (Array.isArray(value))
    return value.map((item, i) =>
      substituteEnvironment(item, environment, faults, `${pointer}/${String(i)}`),
    );
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        substituteEnvironment(item, environment, faults, `${pointer}/${key}`),
      ]),
    );
  return value;
}

function substituteText(
  text: string,
  environment: NodeJS.ProcessEnv,
  faults: ConfigFault[],
  pointer: string,
): string {
  return text.replace(REFERENCE, (reference, name: string | undefined) => {
    if (name === undefined) return '${';
    const value = NAME.test(name) ? environment[name] : undefined;
    if (value !== undefined) return value;
    const problem = NAME.test(name)
      ? `the environment variable ${name} is not set; set it, or write $\${${name}} for the literal text`
      : `${reference} names no environment variable; expected letters, digits and "_"`;
    faults.push({ path: jsonPath(pointer), problem });
    return '';
  });
}
