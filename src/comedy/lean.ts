/**
 * Puts stand-ins in the place of what comedy loads and Vigil does not use. It would cost each process 130 ms of processor
 * time at its start (of 300) and 10 MB. To be imported before comedy.
 */
import path from 'node:path';
import { STAND_INS } from './stand-ins';
import { provide } from './provide';

const comedy = path.dirname(require.resolve('comedy'));
for (const [name, standIn] of Object.entries(STAND_INS)) {
  const file = require.resolve(name, { paths: [comedy] });
  // Should an installation give comedy our own copy, it stays whole.
  if (name === 'winston' && file === require.resolve('winston')) continue;
  provide(file, standIn);
}
