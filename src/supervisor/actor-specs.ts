/** The actors a topology requires, with their parameters and child specs. Actors are named by path only. */
import path from 'node:path';
import type {
  CameraSource,
  ChildSpec,
  HttpSpec,
  SpoolSpec,
  SupervisedCamera,
  Topology,
} from '../config/topology';
import type {
  CameraParameters,
  ClaimParameters,
  NoticesParameters,
  NotifierParameters,
  StoreParameters,
  WebParameters,
} from '../protocol/messages';
import type { Arriving } from '../protocol/numbered';
import type { Holder } from '../connections/namespace-lease';
import type { ActorSpec } from '../comedy/hosted-actor';

/** The part of a daemon's surroundings that its actors need. */
export interface Surroundings {
  readonly holder: Holder;
  /** On a node of a fleet only. */
  readonly claims?: ClaimParameters | undefined;
  readonly redisUrl: string;
  readonly amqpUrl: string;
  readonly dataDir: string;
  readonly spoolDir: string;
  /** Where the newest picture of each camera is kept. */
  readonly newestDir: string;
  /** Cameras that are moving here from other nodes of a fleet. */
  readonly arriving: Arriving;
  /** Where the notifier keeps the names of the queues it has declared. */
  readonly queuesFile: string;
  /** The program a feed is read with, or its name on PATH. */
  readonly ffmpegFor: (source?: CameraSource) => string;
}

export interface WantedActor {
  readonly kind: 'store' | 'notifier' | 'web' | 'notices' | 'camera';
  readonly actor: ActorSpec;
  readonly child: ChildSpec;
}

export function cameraName(id: string): string {
  return `camera:${id}`;
}

/** The camera of that actor; undefined for any other actor. */
export function cameraIdOf(name: string): string | undefined {
  return /^camera:(.+)$/.exec(name)?.[1];
}

/** In start order, by name. */
export function wantedActors(topology: Topology, surroundings: Surroundings): Map<string, WantedActor> {
  const wanted = [
    notifier(topology, surroundings),
    store(topology, surroundings),
    ...(topology.http === undefined ? [] : [web(topology.http, topology.children.web, surroundings)]),
    ...(topology.notify.length === 0 ? [] : [notices(topology, surroundings)]),
    ...topology.cameras.map((camera) => cameraActor(camera, topology.spool, surroundings)),
  ];
  return new Map(wanted.map((actor) => [actor.actor.name, actor]));
}

function cameraActor(
  { child, ...camera }: SupervisedCamera,
  { minFreeBytes }: SpoolSpec,
  { ffmpegFor, spoolDir, newestDir, arriving }: Surroundings,
): WantedActor {
  const continues = arriving.get(camera.id);
  const parameters: CameraParameters = {
    camera,
    ffmpeg: ffmpegFor(camera.source),
    spoolDir,
    newestDir,
    minFreeBytes,
    ...(continues && { continues }),
  };
  const actor = actorSpec(cameraName(camera.id), 'camera', 'forked', parameters);
  return { kind: 'camera', actor, child };
}

function notifier(
  { namespace, expireMs, queue, services, removedServices, tags, tracing, modes, children }: Topology,
  { amqpUrl, queuesFile, claims }: Surroundings,
): WantedActor {
  const parameters: NotifierParameters = {
    ...{ amqpUrl, namespace, expireMs, queue, services, removedServices, tags, tracing, queuesFile },
    ...(claims && { node: claims.node }),
  };
  const actor = actorSpec('notifier', 'notifier', modes.notifier, parameters);
  return { kind: 'notifier', actor, child: children.notifier };
}

function store(
  { namespace, expireMs, durability, spool, drainMs, modes, children }: Topology,
  { holder, claims, redisUrl, spoolDir }: Surroundings,
): WantedActor {
  const delivery = { redisUrl, namespace, expireMs, durability, drainMs };
  const parameters: StoreParameters = { holder, ...(claims && { claims }), ...delivery, spoolDir, spool };
  const actor = actorSpec('store', 'store', modes.store, parameters);
  return { kind: 'store', actor, child: children.store };
}

function web(http: HttpSpec, child: ChildSpec, { dataDir, newestDir, ffmpegFor }: Surroundings): WantedActor {
  const parameters: WebParameters = { ...http, dataDir, newestDir, ffmpeg: ffmpegFor() };
  return { kind: 'web', actor: actorSpec('web', 'web', 'forked', parameters), child };
}

function notices(
  { namespace, notify: webhooks, spool, children }: Topology,
  { dataDir }: Surroundings,
): WantedActor {
  const { maxBytes, maxFrames, maxAgeMs } = spool;
  const bounds = { maxBytes, maxFrames, maxAgeMs };
  const parameters: NoticesParameters = { namespace, webhooks, spool: bounds, dataDir };
  return {
    kind: 'notices',
    actor: actorSpec('notices', 'notices', 'forked', parameters),
    child: children.notices,
  };
}

function actorSpec(name: string, module: string, mode: ActorSpec['mode'], parameters: unknown): ActorSpec {
  return { name, mode, module: path.resolve(__dirname, '../actors', module, 'actor'), parameters };
}
