/** The settings of actors.json for a fleet: several daemons that share one list of cameras. */
import { Type } from '@sinclair/typebox';
import { defaulted, optional, section, type Effect } from './schema-parts';

const EFFECT: Effect = 'needs a restart of the daemon';
export const ETCD_SCHEMES = ['http', 'https'] as const;
const NAME_PATTERN = '^[A-Za-z0-9._-]{1,64}$';

const SETTINGS = section(
  {
    etcd: Type.Unsafe<readonly string[] | string>({
      type: ['array', 'string'],
      minLength: 1,
      items: { type: 'string', minLength: 1, schemes: ETCD_SCHEMES },
      minItems: 1,
      maxItems: 9,
      description:
        'Client URLs of the etcd servers, such as ["http://HOST:2379"]. To try a fleet on one machine: "embedded" for a private one that the daemon runs, and in the other daemons the path of the endpoints.json in its data directory, relative to actors.json, by which they use its etcd, Redis and RabbitMQ.',
    }),
    name: defaulted(
      {
        type: 'string',
        pattern: NAME_PATTERN,
        description: 'name of the fleet: 1 to 64 letters, digits, ".", "_" or "-"',
      },
      'vigil',
    ),
    node: optional({
      type: 'string',
      pattern: NAME_PATTERN,
      description:
        'name of this machine in the fleet: 1 to 64 letters, digits, ".", "_" or "-". Absent: its host name',
    }),
    capacity: defaulted(
      {
        type: 'number',
        minimum: 0.1,
        maximum: 10_000,
        description: 'Share of the cameras that this node takes, relative to the capacity of the others.',
      },
      1,
    ),
    username: optional({ type: 'string', minLength: 1, description: 'User of etcd.' }),
    password: optional({ type: 'string', description: 'Password of that user, such as ${ETCD_PASSWORD}.' }),
    ca: optional({
      type: 'string',
      minLength: 1,
      description: "Certificates that etcd's is verified by, PEM: a path relative to actors.json.",
    }),
    cert: optional({
      type: 'string',
      minLength: 1,
      description: 'Client certificate for etcd, PEM: a path relative to actors.json. Needs key.',
    }),
    key: optional({
      type: 'string',
      minLength: 1,
      description: 'Private key of cert, PEM: a path relative to actors.json.',
    }),
  },
  'Several daemons that share one list of cameras by way of etcd (docs/fleet.md). Absent: this daemon is alone.',
  EFFECT,
);

/** Absent unless it is written. */
export const Fleet = Type.Optional(Type.Object(SETTINGS.properties, { ...SETTINGS, default: undefined }));
