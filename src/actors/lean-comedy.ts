/**
 * Stands in for what comedy loads and little or nothing here uses. It would cost each process 130 ms of processor time at
 * its start (of 300) and 10 MB. To be imported before comedy, whose version is pinned: what it calls of these was read in it.
 */
import { randomBytes } from 'node:crypto';
import Module from 'node:module';
import path from 'node:path';
import { ComedyPromise } from './comedy-promise';

class ObjectID {
  toString(): string {
    return randomBytes(12).toString('hex');
  }
}

const STAND_INS: Readonly<Record<string, unknown>> = {
  // A second one, of version 2: made in every constructor of comedy's logger, and never written to.
  winston: { Logger: Object, transports: { Console: Object } },
  // Of comedy's balancers.
  jsondiffpatch: {},
  // Only its ids are used.
  bson: { ObjectID },
  // Of its seventy functions comedy calls three.
  'underscore.string': {
    startsWith: (text: string, start: string) => text.startsWith(start),
    capitalize: (text: string) => text.charAt(0).toUpperCase() + text.slice(1),
    decapitalize: (text: string) => text.charAt(0).toLowerCase() + text.slice(1),
  },
  bluebird: ComedyPromise,
  // It wakes every process twice a second; only comedy's "busy" metric asks it.
  'toobusy-js': { lag: () => 0 },
};

const comedy = path.dirname(require.resolve('comedy'));
for (const [name, standIn] of Object.entries(STAND_INS)) {
  const file = require.resolve(name, { paths: [comedy] });
  // Should an installation give comedy our own copy, it stays whole.
  if (name === 'winston' && file === require.resolve('winston')) continue;
  require.cache[file] = Object.assign(new Module(file), { filename: file, loaded: true, exports: standIn });
}
