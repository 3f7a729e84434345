/** The entry of a camera's process where `scripts/bundle.mjs` has put all that it loads into one file: a third of what 150 files cost. */
import path from 'node:path';
import 'comedy/lib/forked-actor-worker.js';
import ComedyLogger from '../log/comedy-logger';
import * as camera from './camera';
import { provide } from './provide';
import * as shell from './shell';

/** By the paths that the supervisor, and comedy for it, name them by. */
const NAMED_BY_PATH = { 'log/comedy-logger': ComedyLogger, 'actors/camera': camera, 'actors/shell': shell };
for (const [name, loaded] of Object.entries(NAMED_BY_PATH))
  provide(require.resolve(path.join(__dirname, '..', name)), loaded);
