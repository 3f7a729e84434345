/** The fault of a name that the running daemon does not have. */
import { ExitFault } from '../fault/fault';
import { nearest } from './suggestion';

/** Maximum number of names listed when none is similar. */
const MAX_NAMES = 20;
const CAMERA = 'camera:';

/** @param names of actors; a camera may be named by its id */
export function noChild(name: string, names: readonly string[]): ExitFault {
  const ids = names.filter((each) => each.startsWith(CAMERA)).map((each) => each.slice(CAMERA.length));
  const meant = nearest(name, [...ids, ...names]);
  const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
  const hint =
    meant === undefined
      ? `it has ${names.slice(0, MAX_NAMES).join(', ')}${more}`
      : `did you mean "${meant}"?`;
  return new ExitFault('no-child', `the daemon has no child "${name}"; ${hint}`);
}

/** Finds an actor by its name, or by the id of its camera; undefined if there is none. */
export function childNamed(name: string, names: readonly string[]): string | undefined {
  return [name, CAMERA + name].find((each) => names.includes(each));
}
