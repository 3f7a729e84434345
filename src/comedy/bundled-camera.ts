/** The entry of a camera's process where `scripts/bundle.mjs` has put all that it loads into one file: a third of what 150 files cost. */
import path from 'node:path';
import 'comedy/lib/forked-actor-worker.js';
import ComedyLogger from './logger';
import * as camera from '../actors/camera/actor';
import { provide } from './provide';
import * as actorSide from './actor-side';

/** By the paths that the supervisor, and comedy for it, name them by. */
const NAMED_BY_PATH = {
  'comedy/logger': ComedyLogger,
  'actors/camera/actor': camera,
  'comedy/actor-side': actorSide,
};
for (const [name, loaded] of Object.entries(NAMED_BY_PATH))
  provide(require.resolve(path.join(__dirname, '..', name)), loaded);
