/** How each kind of actor runs and is kept, in the terms of OTP's supervisor: https://www.erlang.org/doc/system/sup_princ.html */
import { Type, type TOptional, type TUnsafe } from '@sinclair/typebox';
import { defaulted, section } from './schema-parts';
import type { SettingSchema, ValueOf } from './setting-schema';

const CHILD_SETTINGS = {
  restart: {
    type: 'string',
    enum: ['permanent', 'transient', 'temporary'],
    description:
      'permanent: always restarted. transient: unless it ended normally. temporary: never restarted.',
  },
  maxRestarts: {
    type: 'integer',
    minimum: 0,
    maximum: 10_000,
    description:
      'Restarts allowed within periodMs. One more, and a camera, web or notices is quarantined; any other child ends the daemon.',
  },
  periodMs: {
    type: 'integer',
    minimum: 1000,
    maximum: 86_400_000,
    description: 'Window of maxRestarts, milliseconds.',
  },
  startMs: {
    type: 'integer',
    minimum: 500,
    maximum: 600_000,
    description:
      'Milliseconds to become ready after a start. Time spent waiting for a processor is not counted.',
  },
  shutdownMs: {
    type: 'integer',
    minimum: 100,
    maximum: 12_000,
    description: 'Milliseconds to stop before it is killed.',
  },
  backOffFirstMs: {
    type: 'integer',
    minimum: 1,
    maximum: 60_000,
    description:
      'Longest pause before the second restart, milliseconds; it doubles with every further one. The first restart is immediate.',
  },
  backOffCapMs: {
    type: 'integer',
    minimum: 1,
    maximum: 3_600_000,
    description: 'Longest pause before any restart, milliseconds.',
  },
} as const satisfies Readonly<Record<string, SettingSchema>>;

const CAMERA_CHILD_SETTINGS = {
  ...CHILD_SETTINGS,
  probeMs: {
    type: 'integer',
    minimum: 1000,
    maximum: 86_400_000,
    description: 'Milliseconds between two attempts to start a child in quarantine.',
  },
} as const;

/** For an object of schemas. */
type Optionals<T> = { [K in keyof T]: TOptional<TUnsafe<ValueOf<T[K]>>> };

function optionals<const T extends Readonly<Record<string, SettingSchema>>>(schemas: T): Optionals<T> {
  const entries = Object.entries(schemas).map(([name, schema]) => [name, Type.Optional(Type.Unsafe(schema))]);
  return Object.fromEntries(entries) as Optionals<T>;
}

export const CameraActor = Type.Object(optionals(CAMERA_CHILD_SETTINGS), {
  additionalProperties: false,
  description: 'Overrides of actors.camera for this camera.',
  effect: 'live',
});

interface ChildDefaults {
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly startMs: number;
  readonly shutdownMs: number;
}

function childDefaults({ maxRestarts, periodMs, startMs, shutdownMs }: ChildDefaults) {
  return {
    restart: defaulted(CHILD_SETTINGS.restart, 'permanent'),
    maxRestarts: defaulted(CHILD_SETTINGS.maxRestarts, maxRestarts),
    periodMs: defaulted(CHILD_SETTINGS.periodMs, periodMs),
    startMs: defaulted(CHILD_SETTINGS.startMs, startMs),
    shutdownMs: defaulted(CHILD_SETTINGS.shutdownMs, shutdownMs),
    backOffFirstMs: defaulted(CHILD_SETTINGS.backOffFirstMs, 250),
    backOffCapMs: defaulted(CHILD_SETTINGS.backOffCapMs, 30_000),
  };
}

const mode = {
  type: 'string',
  enum: ['forked', 'in-memory'],
  description: 'forked: in a process of its own. in-memory: inside the daemon.',
} as const;

export const Actors = section(
  {
    store: section(
      {
        mode: defaulted(mode, 'forked', 'restarts the store'),
        ...childDefaults({ maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 2500 }),
        drainMs: defaulted(
          {
            type: 'integer',
            minimum: 0,
            maximum: 10_000,
            description:
              'Milliseconds to deliver waiting frames when the daemon stops; at least 500 less than shutdownMs.',
          },
          1500,
        ),
      },
      'The actor that writes to Redis.',
      'live',
    ),
    notifier: section(
      {
        mode: defaulted(mode, 'forked', 'restarts the notifier'),
        ...childDefaults({ maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 1500 }),
      },
      'The actor that publishes to RabbitMQ.',
      'live',
    ),
    camera: section(
      {
        mode: defaulted(
          { type: 'string', enum: ['forked'], description: 'A camera always has a process of its own.' },
          'forked',
          'none',
        ),
        ...childDefaults({ maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 2500 }),
        probeMs: defaulted(CAMERA_CHILD_SETTINGS.probeMs, 180_000),
      },
      'Every camera.',
      'live',
    ),
    web: section(
      {
        ...childDefaults({ maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 1000 }),
        probeMs: defaulted(CAMERA_CHILD_SETTINGS.probeMs, 60_000),
      },
      'The HTTP server.',
      'live',
    ),
    notices: section(
      {
        ...childDefaults({ maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 1000 }),
        probeMs: defaulted(CAMERA_CHILD_SETTINGS.probeMs, 60_000),
      },
      'The actor that sends notices; it runs only if "notify" has webhooks.',
      'live',
    ),
    service: section(
      // A broker takes up to 16 s to start: three failures in ten minutes are not a coincidence any more.
      childDefaults({ maxRestarts: 3, periodMs: 600_000, startMs: 90_000, shutdownMs: 6000 }),
      'The embedded servers.',
      'live',
    ),
  },
  'How each kind of actor runs and is restarted.',
);
