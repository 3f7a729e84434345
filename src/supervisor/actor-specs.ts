/** What the supervisor starts of each kind of actor. Actors are named by path only. */
import path from 'node:path';
import type { CameraSpec, Topology } from '../config/topology';
import type { CameraParameters, NotifierParameters, StoreParameters } from '../protocol/messages';
import type { ActorSpec } from './actor-host';

/** Milliseconds a forked process may take until it is ready for messages: 0.4 s idle, many times that when all start. */
const ACTOR_START_MS = 20_000;

/** A camera, which reads its feed with `ffmpeg` into `spoolDir`. */
export function cameraSpec(camera: CameraSpec, ffmpeg: string, spoolDir: string): ActorSpec {
  const parameters: CameraParameters = { camera, ffmpeg, spoolDir };
  return actorSpec(`camera:${camera.id}`, 'camera', 'forked', parameters);
}

function actorSpec(name: string, module: string, mode: ActorSpec['mode'], parameters: unknown): ActorSpec {
  return {
    name,
    mode,
    module: path.resolve(__dirname, '../actors', module),
    parameters,
    startMs: ACTOR_START_MS,
  };
}

/** The notifier, which publishes to `amqpUrl`. */
export function notifierSpec({ namespace, expireMs, queue, modes }: Topology, amqpUrl: string): ActorSpec {
  const parameters: NotifierParameters = { amqpUrl, namespace, expireMs, queue };
  return actorSpec('notifier', 'notifier', modes.notifier, parameters);
}

/** The store, which drains `spoolDir` into `redisUrl`. */
export function storeSpec(
  { namespace, expireMs, durability, spool, modes }: Topology,
  redisUrl: string,
  spoolDir: string,
): ActorSpec {
  const parameters: StoreParameters = { redisUrl, namespace, expireMs, spoolDir, durability, spool };
  return actorSpec('store', 'store', modes.store, parameters);
}
