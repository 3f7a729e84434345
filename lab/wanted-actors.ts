/** A configuration of remote servers and two cameras, changed by a test: resolved, with the actors it wants. */
import { parseTopology } from '../src/config/load';
import type { Topology } from '../src/config/topology';
import { wantedActors, type WantedActor } from '../src/supervisor/actor-specs';

/** A part of actors.json. */
export type Entry = Record<string, unknown>;

export const CAMERAS: Entry[] = [
  { id: 'gate', url: 'rtsp://gate/', password: 'a' },
  { id: 'yard', test: 'testsrc2' },
];
const BASE: Entry = { redis: 'redis://r/', rabbitmq: 'amqp://b/', cameras: CAMERAS };

/** A webhook, as the configuration names one. */
export const HOOK: Entry = {
  webhook: 'https://h/',
  secret: `whsec_${'A'.repeat(40)}`,
  when: ['quarantined'],
};

export interface Wanted {
  readonly topology: Topology;
  readonly actors: ReadonlyMap<string, WantedActor>;
}

/** @throws ConfigurationError when the configuration is not valid with `entry` */
export function wantedBy(entry: Entry): Wanted {
  const topology = parseTopology(JSON.stringify({ ...BASE, ...entry }), '/srv/actors.json', {});
  const { redis, rabbitmq } = topology;
  const surroundings = {
    holder: { id: 'here', name: 'daemon of this test' },
    redisUrl: redis.kind === 'remote' ? redis.url : 'redis://embedded/',
    amqpUrl: rabbitmq.kind === 'remote' ? rabbitmq.url : 'amqp://embedded/',
    dataDir: '/srv/data',
    newestDir: '/srv/data/newest',
    spoolDir: '/srv/data/spool',
    queuesFile: '/srv/data/queues.json',
    arriving: new Map(),
    ffmpegFor: () => topology.ffmpeg ?? '/usr/bin/ffmpeg',
  };
  return { topology, actors: wantedActors(topology, surroundings) };
}
