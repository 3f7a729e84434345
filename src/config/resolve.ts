/** From a checked actors.json to the complete {@link Topology}. Pure. */
import path from 'node:path';
import { defaultQueue } from '../contract/topology';
import { childSpec } from './children';
import { resolveCamera } from './resolve-camera';
import type { ActorsFile } from './schema';
import type { ServerEntry, ServerSettings } from './schema-servers';
import type { ServerSpec, Topology } from './topology';
import { withCredentials } from '../url/url';

/** @param folder that relative paths start at */
export function resolveTopology(file: ActorsFile, folder: string): Topology {
  const { frames, actors } = file;
  return {
    namespace: file.namespace,
    logLevel: file.log.level,
    redis: resolveServer(file.redis),
    rabbitmq: resolveServer(file.rabbitmq),
    ...(file.user === undefined ? {} : { user: file.user }),
    ...(file.ffmpeg === undefined ? {} : { ffmpeg: programPath(file.ffmpeg, folder) }),
    expireMs: frames.expireMs,
    durability: frames.durability,
    queue: { ...file.queue, name: file.queue.name ?? defaultQueue(file.namespace) },
    spool: file.spool,
    ledger: file.ledger,
    modes: { store: actors.store.mode, notifier: actors.notifier.mode },
    children: {
      store: childSpec(actors.store),
      notifier: childSpec(actors.notifier),
      service: childSpec(actors.service),
    },
    drainMs: actors.store.drainMs,
    supervision: file.supervision,
    cameras: file.cameras
      .filter(({ enabled }) => enabled)
      .map((camera) => resolveCamera(camera, file, folder)),
  };
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

/** A bare name is looked for on PATH; anything with a slash is a path beside the file. */
function programPath(program: string, folder: string): string {
  return program.includes('/') ? path.resolve(folder, program) : program;
}
