/**
 * Replaces what comedy loads and Vigil does not use by stand-ins. The originals would cost each process 130
 * of 300 ms of processor time at its start, and 10 MB. Must be imported before comedy.
 */
import path from 'node:path';
import { STAND_INS } from './stand-ins';
import { provide } from './provide';

const comedy = path.dirname(require.resolve('comedy'));
for (const [name, standIn] of Object.entries(STAND_INS)) {
  const file = require.resolve(name, { paths: [comedy] });
  // If comedy and Vigil share one copy in an installation, that copy is not replaced.
  if (name === 'winston' && file === require.resolve('winston')) continue;
  provide(file, standIn);
}
