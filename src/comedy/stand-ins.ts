/** Stand-ins for packages comedy loads but hardly uses here. The calls were determined from comedy's source; its version is pinned. */
import { randomBytes } from 'node:crypto';
import { ComedyPromise } from './promise';

class ObjectID {
  toString(): string {
    return randomBytes(12).toString('hex');
  }
}

/** Stand-ins by the name that comedy requires. */
export const STAND_INS: Readonly<Record<string, unknown>> = {
  // A second winston, of version 2: created in every constructor of comedy's logger, and never written to.
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
  // It changes globals. The overrides in package.json replace it in a clone, but not where the package is installed.
  'babel-polyfill': {},
  // It wakes every process twice a second; only comedy's "busy" metric asks it.
  'toobusy-js': { lag: () => 0 },
  // For folders of definitions: it searches for its parent module, which does not exist in a bundle.
  'require-dir': () => ({}),
  // For relative paths of definitions, and for comedy's actors.json: both are given.
  'app-root-path': '',
};
