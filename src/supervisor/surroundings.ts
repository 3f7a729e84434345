/** What the actors of a configuration need to know of this machine. */
import type { Topology } from '../config/topology';
import { newestDirOf } from '../spool/newest';
import type { Surroundings } from './actor-specs';
import type { DataDirectory } from './data-directory';
import type { EmbeddedServers } from './embedded-servers';
import { findFfmpeg } from './ffmpeg-program';

export interface OwnMachine extends Pick<Surroundings, 'holder' | 'claims' | 'arriving'> {
  readonly servers: Pick<EmbeddedServers, 'urlOf'>;
  readonly data: DataDirectory;
}

export function surroundingsOf(
  { redis, rabbitmq, ffmpeg }: Topology,
  { holder, claims, arriving, servers, data }: OwnMachine,
): Surroundings {
  const spoolDir = data.folder('spool');
  return {
    ...{ holder, claims, arriving },
    redisUrl: servers.urlOf(redis, 'redis', 'ownUrl'),
    amqpUrl: servers.urlOf(rabbitmq, 'rabbitmq', 'ownUrl'),
    dataDir: data.dir,
    spoolDir,
    newestDir: newestDirOf(spoolDir),
    queuesFile: data.path('queues.json'),
    ffmpegFor: (source) => findFfmpeg(ffmpeg, source) ?? 'ffmpeg',
  };
}
