/** The entry of a camera's process if `scripts/bundle.mjs` has bundled all it loads: one file costs a third of what 150 files do. */
import path from 'node:path';
import 'comedy/lib/forked-actor-worker.js';
import ComedyLogger from './logger';
import * as camera from '../actors/camera/actor';
import { provide } from './provide';
import * as actorSide from './actor-side';

/** Modules by the paths under which the supervisor, and comedy on its behalf, name them. */
const NAMED_BY_PATH = {
  'comedy/logger': ComedyLogger,
  'actors/camera/actor': camera,
  'comedy/actor-side': actorSide,
};
for (const [name, loaded] of Object.entries(NAMED_BY_PATH))
  provide(require.resolve(path.join(__dirname, '..', name)), loaded);
