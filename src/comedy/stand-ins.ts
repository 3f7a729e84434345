/** Stand-ins for packages comedy loads but hardly uses here. The calls were determined from comedy's source; its version is pinned. */
import { randomBytes } from 'node:crypto';
import { ComedyPromise } from './promise';

class ObjectID {
  toString(): string {
    return randomBytes(12).toString('hex');
  }
}

/** By the name comedy requires. */
export const STAND_INS: Readonly<Record<string, unknown>> = {
  // A second one, of version 2: made in every constructor of comedy's logger, and never written to.
  winston: { Logger: Object, transports: { Console: Object } },
  // Used by comedy's balancers.
  jsondiffpatch: {},
  // Only its ids are used.
  bson: { ObjectID },
  // comedy calls three of its seventy functions.
  'underscore.string': {
    startsWith: (text: string, start: string) => text.startsWith(start),
    capitalize: (text: string) => text.charAt(0).toUpperCase() + text.slice(1),
    decapitalize: (text: string) => text.charAt(0).toLowerCase() + text.slice(1),
  },
  bluebird: ComedyPromise,
  // It changes globals. The overrides of package.json replace it in a clone, not where the package is installed.
  'babel-polyfill': {},
  // It wakes every process twice a second; only comedy's "busy" metric asks it.
  'toobusy-js': { lag: () => 0 },
  // Folders of definitions: it looks for its parent module, which a bundle is not.
  'require-dir': () => ({}),
  // Relative paths of definitions, and an actors.json of its own: both are given.
  'app-root-path': '',
};
