/** The schemas of requests and answers: the API checks by them, and the OpenAPI document is made of them. See api.ts. */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN, FRAME_FORMATS, MAX_TAGS, TAG_PATTERN } from '../../../contract/frame';
import type { ApiCamera, ApiCrash, ApiLedger, ApiProblem, ApiState } from '../view/api';

export const closed = { additionalProperties: false };
const Time = (description: string) =>
  Type.Integer({ description: `${description}, milliseconds since the epoch.` });

const CONDITIONS = ['delivering', 'starting', 'waiting', 'offline', 'quarantined', 'disabled'] as const;

export const Fault = Type.Object(
  {
    code: Type.String({ description: 'Stable identifier for programs.' }),
    message: Type.String({ description: 'What is wrong and what to do.' }),
    at: Type.Optional(Time('When it was noticed')),
  },
  closed,
);

export const Camera = Type.Object(
  {
    id: Type.String({ pattern: CAMERA_ID_PATTERN }),
    tags: Type.Array(Type.String()),
    condition: Type.Union(
      CONDITIONS.map((condition) => Type.Literal(condition)),
      {
        description:
          'waiting: pictures are captured and wait for Redis or RabbitMQ. starting: also while its process is restarted. offline: the feed gives no pictures.',
      },
    ),
    since: Time('When the condition began; of one that does not deliver, when the last frame was confirmed'),
    fault: Type.Optional(Fault),
    rate: Type.Number({ description: 'Confirmed frames per second over the last minute.' }),
    wantedRate: Type.Number({
      description: 'Frames per second that are configured; 0 of a disabled camera.',
    }),
    picture: Type.Optional(
      Type.Object(
        {
          capturedAt: Time('When the newest picture was captured'),
          width: Type.Integer(),
          height: Type.Integer(),
          format: Type.String({ description: `As stored: ${FRAME_FORMATS.join(', ')}.` }),
        },
        closed,
      ),
    ),
    confirmedAt: Type.Optional(Time('When a frame was confirmed last')),
    restarts: Type.Integer({ description: 'Restarts of its process.' }),
    codec: Type.Optional(Type.String()),
    sampling: Type.Optional(Type.String()),
    keyframeSeconds: Type.Optional(Type.Number()),
    clockSkewMs: Type.Optional(Type.Number({ description: "Its clock minus this machine's." })),
  },
  closed,
);

const Server = Type.Object({ ready: Type.Boolean(), fault: Type.Optional(Fault) }, closed);

export const State = Type.Object(
  {
    version: Type.String(),
    startedAt: Time('When the daemon started'),
    ready: Type.Boolean({ description: 'Redis and RabbitMQ have both answered since the start.' }),
    problems: Type.Array(Type.String(), { description: 'What is wrong with the daemon, a sentence each.' }),
    cameras: Type.Object(
      Object.fromEntries(CONDITIONS.map((condition) => [condition, Type.Integer()])) as Record<
        (typeof CONDITIONS)[number],
        ReturnType<typeof Type.Integer>
      >,
      { ...closed, description: 'Number of cameras by condition.' },
    ),
    spool: Type.Object(
      { waiting: Type.Integer(), bytes: Type.Integer(), oldestAgeMs: Type.Optional(Type.Number()) },
      { ...closed, description: 'Frames that wait for Redis or RabbitMQ.' },
    ),
    redis: Server,
    rabbitmq: Server,
    queue: Type.Optional(
      Type.Object(
        {
          name: Type.String(),
          messages: Type.Integer({ description: 'Messages that wait in it.' }),
          limit: Type.Integer({ description: 'As many as it takes.' }),
          consumers: Type.Optional(Type.Integer()),
        },
        { ...closed, description: 'The detection queue; absent until the broker has reported it.' },
      ),
    ),
  },
  closed,
);

export const Crashes = Type.Array(
  Type.Object(
    {
      at: Time('When the process had ended'),
      startedAt: Time('When it was ready'),
      code: Type.String({ description: 'Stable identifier for programs.' }),
      message: Type.String({ description: 'How it ended: a sentence without its subject.' }),
      lastLines: Type.Array(Type.String(), { description: 'Its last lines.' }),
      ffmpeg: Type.Array(Type.String(), { description: 'The last lines of its ffmpeg.' }),
    },
    closed,
  ),
);

export const Ledger = Type.Object(
  {
    from: Time('Begin of the first bucket'),
    to: Time('End of the last bucket'),
    bucketMs: Type.Integer(),
    cameras: Type.Record(
      Type.String(),
      Type.Array(
        Type.Object(
          {
            from: Time('Begin'),
            periods: Type.Integer({ description: 'Sampling periods.' }),
            confirmed: Type.Integer(),
            missed: Type.Record(Type.String(), Type.Integer(), {
              description: 'Periods without a confirmed frame by reason; see docs/ledger.md.',
            }),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
);

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    capturedAt: Type.Optional(Time('When the newest picture was captured')),
    reasons: Type.Optional(Type.Array(Type.String())),
    faults: Type.Optional(
      Type.Array(
        Type.Object(
          { path: Type.String({ description: 'JSON path in actors.json.' }), problem: Type.String() },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { ...closed, description: 'Problem details (RFC 9457).' },
);

export const Cameras = Type.Array(Camera);
export const Alive = Type.Object({ status: Type.Literal('alive') }, closed);
export const Ready = Type.Object({ status: Type.Literal('ready') }, closed);

export const CameraPath = Type.Object({ id: Type.String({ pattern: CAMERA_ID_PATTERN }) }, closed);

/** Widths of thumbnails, pixels. Few, so that viewers share them. */
export const WIDTHS = [160, 320, 640, 1280] as const;
export const PictureQuery = Type.Object(
  {
    width: Type.Optional(
      Type.Integer({
        minimum: 16,
        maximum: 8192,
        description: `Pixels: the next of ${WIDTHS.join(', ')} is taken, and the whole picture above them. Never enlarged.`,
      }),
    ),
  },
  closed,
);

const Tag = Type.String({ pattern: TAG_PATTERN });
export const CamerasQuery = Type.Object(
  {
    tag: Type.Optional(
      Type.Union([Tag, Type.Array(Tag, { maxItems: MAX_TAGS })], {
        description: 'Only cameras that have this tag; given several times, all of them.',
      }),
    ),
  },
  closed,
);

export const LedgerQuery = Type.Object(
  {
    since: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Milliseconds since the epoch; an hour ago if absent, and never more than 7 days.',
      }),
    ),
    buckets: Type.Integer({ minimum: 1, maximum: 1440, default: 60 }),
    camera: Type.Optional(Type.String({ pattern: CAMERA_ID_PATTERN, description: 'Only this one.' })),
  },
  closed,
);

export const SignIn = Type.Object({ token: Type.String({ maxLength: 4096 }) }, closed);

/** A schema that parts from the types clients read does not compile. */
export type Answers<S extends TSchema, T> = Static<S> extends T ? T : never;
export type CheckedAnswers = [
  Answers<typeof Camera, ApiCamera>,
  Answers<typeof State, ApiState>,
  Answers<typeof Crashes, ApiCrash[]>,
  Answers<typeof Ledger, ApiLedger>,
  Answers<typeof ProblemSchema, ApiProblem>,
];
