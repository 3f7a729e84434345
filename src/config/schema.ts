/** The schema of actors.json: source of its types, check, defaults, editors' schema and docs/configuration.md. */
import { Type, type Static } from '@sinclair/typebox';
import { NAMESPACE_PATTERN } from '../contract/frame';
import { REDIS_SCHEMES } from '../connections/redis-address';
import { LOG_LEVELS } from '../log/levels';
import { Actors } from './schema-actors';
import { Camera, CameraDefaults } from './schema-cameras';
import { Consumers } from './schema-consumers';
import { Frames, Ledger, Queue, Spool } from './schema-frames';
import { Fleet } from './schema-fleet';
import { Http } from './schema-http';
import { Notify } from './schema-notify';
import { defaulted, optional, section } from './schema-parts';
import { server } from './schema-servers';

export { STILL_SCHEMES, STREAM_SCHEMES, TEST_PATTERNS } from './camera-sources';
export type { HttpEntry } from './schema-http';
export type { ServerEntry } from './schema-servers';

export const BROKER_SCHEMES = ['amqp', 'amqps'] as const;
export const MANAGEMENT_SCHEMES = ['http', 'https'] as const;

const Supervision = section(
  {
    restartsPerMinute: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 100_000,
        description: 'Restarts of all cameras together within any minute.',
      },
      60,
    ),
    parallelStarts: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'Cameras that start at the same time.',
      },
      4,
    ),
  },
  'Limits that keep failing cameras from slowing down the others.',
  'live',
);

export const ActorsFile = Type.Object(
  {
    $schema: optional({ type: 'string', description: 'Schema for editors.' }, 'none'),
    namespace: defaulted(
      {
        type: 'string',
        pattern: NAMESPACE_PATTERN,
        description: 'first part of every key, exchange and queue: 1 to 64 letters, digits, "_" or "-"',
      },
      'vigil',
      'restarts store and notifier',
    ),
    log: section(
      {
        level: defaulted(
          { type: 'string', enum: LOG_LEVELS, description: 'Least severe level that is logged.' },
          'info',
        ),
      },
      'The log.',
      'live',
    ),
    redis: server({
      schemes: REDIS_SCHEMES,
      description: 'where frames are stored',
      own: {
        maxMemoryBytes: {
          type: 'integer',
          minimum: 16 * 1024 * 1024,
          description:
            'Memory limit of the embedded Redis, bytes; frames then wait in the spool. Absent: half of the memory, or a sixth of the free disk if that is less.',
        },
      },
      effect: 'restarts the store',
    }),
    rabbitmq: server({
      schemes: BROKER_SCHEMES,
      description: 'where frames are announced',
      remote: {
        managementUrl: {
          type: 'string',
          schemes: MANAGEMENT_SCHEMES,
          isAddress: true,
          description:
            "RabbitMQ's management API, such as http://HOST:15672, from which `status` learns of other queues. Without a user name and password of its own, those of the broker are used.",
        },
      },
      effect: 'restarts the notifier',
    }),
    fleet: Fleet,
    http: Http,
    notify: Notify,
    user: optional(
      {
        type: 'string',
        pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,31}$',
        description:
          'User of this machine, by name: a daemon that root starts runs as that user, with all its processes. Absent: as it was started.',
      },
      'needs a restart of the daemon',
    ),
    ffmpeg: optional(
      {
        type: 'string',
        minLength: 1,
        description:
          'ffmpeg program: a path relative to actors.json, or a name on PATH. Absent: the one of ffmpeg-static, otherwise the one on PATH.',
      },
      'live',
    ),
    tracing: defaulted(
      {
        type: 'boolean',
        description:
          'Whether each message of a frame has a W3C traceparent, of a trace from its capture to its confirm (docs/contract.md).',
      },
      false,
      'restarts the notifier',
    ),
    frames: Frames,
    queue: Queue,
    consumers: Consumers,
    spool: Spool,
    ledger: Ledger,
    actors: Actors,
    supervision: Supervision,
    cameraDefaults: CameraDefaults,
    cameras: Type.Array(Camera, { maxItems: 10_000, description: 'The feeds, one actor each.' }),
  },
  {
    additionalProperties: false,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Vigil: actors.json',
    description: 'Any string may hold ${NAME}, taken from the environment; $${ stands for a literal ${.',
  },
);
export type ActorsFile = Static<typeof ActorsFile>;
export type CameraEntry = ActorsFile['cameras'][number];
