/** From a checked actors.json to the complete {@link Topology}. Pure. */
import path from 'node:path';
import { defaultQueue, serviceQueue } from '../contract/broker-names';
import { childSpec, probedChildSpec } from './children';
import { resolveCamera } from './resolve-camera';
import type { ActorsFile } from './schema';
import type { ServerEntry, ServerSettings } from './schema-servers';
import type { HttpSettings } from './schema-http';
import { parseCondition } from './notice-conditions';
import type { FleetSpec, HttpSpec, ServerSpec, Topology, WebhookSpec } from './topology';
import { withCredentials } from '../url/url';

/** @param folder that relative paths are resolved against */
export function resolveTopology(file: ActorsFile, folder: string): Topology {
  const { frames, actors } = file;
  return {
    namespace: file.namespace,
    logLevel: file.log.level,
    redis: resolveServer(file.redis),
    rabbitmq: resolveServer(file.rabbitmq),
    ...(file.fleet === undefined ? {} : { fleet: resolveFleet(file.fleet, folder) }),
    ...(file.http === false ? {} : { http: resolveHttp(file.http, folder) }),
    notify: file.notify.map(resolveWebhook),
    ...(file.user === undefined ? {} : { user: file.user }),
    ...(file.ffmpeg === undefined ? {} : { ffmpeg: programPath(file.ffmpeg, folder) }),
    tracing: file.tracing,
    expireMs: frames.expireMs,
    durability: frames.durability,
    queue: { ...file.queue, name: file.queue.name ?? defaultQueue(file.namespace) },
    services: Object.entries(file.consumers).flatMap(([name, { remove, ...consumer }]) =>
      remove ? [] : [{ name, queue: serviceQueue(file.namespace, name), ...consumer }],
    ),
    removedServices: Object.keys(file.consumers).filter((name) => file.consumers[name]?.remove === true),
    spool: file.spool,
    ledger: file.ledger,
    modes: { store: actors.store.mode, notifier: actors.notifier.mode },
    children: {
      store: childSpec(actors.store),
      notifier: childSpec(actors.notifier),
      web: probedChildSpec(actors.web),
      notices: probedChildSpec(actors.notices),
      service: childSpec(actors.service),
    },
    drainMs: actors.store.drainMs,
    supervision: file.supervision,
    cameras: file.cameras
      .filter(({ enabled }) => enabled)
      .map((camera) => resolveCamera(camera, file, folder)),
    cameraIds: file.cameras.map(({ id }) => id),
    tags: Object.fromEntries(file.cameras.flatMap(({ id, tags }) => (tags.length === 0 ? [] : [[id, tags]]))),
  };
}

function resolveFleet(
  { ca, cert, key, ...fleet }: NonNullable<ActorsFile['fleet']>,
  folder: string,
): FleetSpec {
  const files = Object.entries({ ca, cert, key }).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, path.resolve(folder, file)]],
  );
  const { etcd } = fleet;
  const servers =
    typeof etcd === 'string' && etcd !== 'embedded' ? { etcd: [], endpointsFile: etcd } : { etcd };
  return { ...fleet, ...servers, ...Object.fromEntries(files) } as FleetSpec;
}

function resolveHttp({ cert, key, ...http }: HttpSettings, folder: string): HttpSpec {
  if (cert === undefined || key === undefined) return http;
  return { ...http, tls: { cert: path.resolve(folder, cert), key: path.resolve(folder, key) } };
}

function resolveWebhook({ webhook, secret, when, ...filter }: ActorsFile['notify'][number]): WebhookSpec {
  const conditions = when.flatMap((written) => {
    const condition = parseCondition(written);
    return 'problem' in condition ? [] : [condition];
  });
  return { url: withCredentials(webhook), secret, when: conditions, ...filter };
}

function resolveServer(entry: ServerEntry): ServerSpec {
  if (entry === 'embedded') return { kind: 'embedded' };
  const { url, username, password, managementUrl, port, maxMemoryBytes }: ServerSettings =
    typeof entry === 'string' ? { url: entry } : entry;
  if (url !== undefined)
    return {
      kind: 'remote',
      url: withCredentials(url, username, password),
      ...(managementUrl === undefined ? {} : { managementUrl: withCredentials(managementUrl) }),
    };
  return {
    kind: 'embedded',
    ...(port === undefined ? {} : { port }),
    ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
  };
}

/** A bare name is searched for on PATH; anything with a slash is a path relative to the file. */
function programPath(program: string, folder: string): string {
  return program.includes('/') ? path.resolve(folder, program) : program;
}
