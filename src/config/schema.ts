/** What actors.json may say: one text that gives the types, the check, the defaults and the editors' schema. */
import { Type, type Static } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN, NAMESPACE_PATTERN } from '../contract/frame';

const strict = { additionalProperties: false } as const;

/** Capture schemes a feed may have; anything that could read local files or run programs is not among them. */
export const STREAM_SCHEMES = ['rtsp', 'rtsps', 'http', 'https', 'rtmp', 'rtmps'] as const;
/** Schemes still pictures are asked for over. */
export const STILL_SCHEMES = ['http', 'https'] as const;
/** Where an HTTP answer may lead. */
export const REDIRECT_POLICIES = ['same-host', 'any-host'] as const;
/** Names of ffmpeg's picture generators a `test` camera may show. */
export const TEST_PATTERNS = ['testsrc2', 'smptehdbars', 'rgbtestsrc', 'mandelbrot'] as const;
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

function oneOf<const Values extends readonly string[]>(values: Values, options: Record<string, unknown>) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options });
}

const Port = Type.Integer({
  minimum: 1,
  maximum: 65_535,
  description: 'Loopback port of the embedded server; a free one is chosen and kept when absent.',
});

const MaxMemory = Type.Integer({
  minimum: 16 * 1024 * 1024,
  description:
    'Of the embedded Redis: bytes it takes at most; frames then wait in the spool. Absent: half of the memory, or a sixth of the free disk if that is less.',
});

function server(scheme: string, what: string) {
  return Type.Union(
    [
      Type.String({ minLength: 1 }),
      Type.Object(
        {
          embedded: Type.Optional(Type.Literal(true, { description: 'Run a private server on loopback.' })),
          port: Type.Optional(Port),
          maxMemoryBytes: Type.Optional(MaxMemory),
          url: Type.Optional(
            Type.String({
              description: `A ${scheme}:// or ${scheme}s:// URL, or one of several hosts (see the README).`,
            }),
          ),
          username: Type.Optional(Type.String({ description: 'Any characters, not percent-encoded.' })),
          password: Type.Optional(Type.String({ description: 'Any characters, not percent-encoded.' })),
          managementUrl: Type.Optional(
            Type.String({
              description:
                "RabbitMQ's management API, such as http://HOST:15672, for status to show who else is bound; with the credentials beside url unless it has its own.",
            }),
          ),
        },
        strict,
      ),
    ],
    {
      default: 'embedded',
      description: `${what}. "embedded" for a private server run by the daemon, ${scheme}:// or ${scheme}s:// and a host, or {"url", "username", "password"}.`,
    },
  );
}

/** Settings a camera takes from `cameraDefaults` when it does not name them itself. */
const captureSettings = {
  rate: { minimum: 0.1, maximum: 5, description: 'Pictures per second.' },
  format: {
    description:
      'Encoding of the stored picture. keyframe: the keyframe as the camera sent it, h264 or h265, decoded by who retrieves it.',
  },
  quality: { minimum: 1, maximum: 100, description: 'JPEG and WebP quality, 1 to 100.' },
  width: { minimum: 16, maximum: 8192, description: 'Width in pixels; the height follows. Absent: as sent.' },
  transport: { description: 'RTSP transport. auto: UDP, or TCP where no UDP packet arrives.' },
  sampling: {
    description:
      'What is decoded. auto: only keyframes where they come often enough, else what leads up to each picture. keyframes: nothing else, whatever their interval. all: every picture.',
  },
  hwaccel: {
    description:
      'Hardware that decodes, by ffmpeg. Where it does not start the feed is decoded in software. auto: the first that starts.',
  },
  matrix: {
    description:
      'How its colours are coded. auto: as the stream says; where it does not, bt709 from 720 lines on, else bt601.',
  },
  deinterlace: {
    description:
      'auto: of interlaced video one field, its lines doubled by interpolation. off: both fields as they come.',
  },
  stallMs: {
    minimum: 1000,
    maximum: 600_000,
    description: 'Milliseconds without data after which a streaming feed is opened anew.',
  },
  maxDelayMs: {
    minimum: 1000,
    maximum: 60_000,
    description:
      'Milliseconds by which pictures may come late over a link slower than the stream; beyond, the feed is opened anew at its newest picture.',
  },
  frozenMs: {
    minimum: 0,
    maximum: 86_400_000,
    description: 'Milliseconds of the same picture after which it is announced as frozen; 0: never.',
  },
  connectMs: {
    minimum: 1000,
    maximum: 600_000,
    description: 'Milliseconds from opening a feed to its first picture before it counts as failed.',
  },
  retryMs: {
    minimum: 500,
    maximum: 3_600_000,
    description:
      'Longest pause before a feed that failed is opened again, milliseconds. It begins with half a second, is doubled with every failure, and ends when the port of a camera that was gone takes connections again.',
  },
  redirects: {
    description:
      'Where an HTTP answer may lead: to the host of the URL alone, or to any; never to another scheme, nor to an address of this machine.',
  },
} as const;
/** Without defaults: where a camera says nothing, `cameraDefaults` counts. */
const CameraTls = Type.Object(
  {
    verify: Type.Optional(
      Type.Boolean({
        description:
          'Whether the certificate is verified over rtsps, https and rtmps; absent: only where "ca" is given.',
      }),
    ),
    ca: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'PEM file of certificates to trust in the place of the system’s: of who signs, or of the camera itself; relative to actors.json.',
      }),
    ),
  },
  { ...strict, description: 'Whether it is made sure that it is the camera who answers.' },
);
const TRANSPORTS = ['tcp', 'udp', 'auto'] as const;
export const CAPTURE_FORMATS = ['jpeg', 'png', 'webp', 'keyframe'] as const;
export const HWACCELS = ['none', 'vaapi', 'cuda', 'qsv', 'videotoolbox', 'auto'] as const;
export const MATRICES = ['auto', 'bt601', 'bt709', 'bt2020'] as const;
export const DEINTERLACING = ['auto', 'off'] as const;
export const SAMPLINGS = ['auto', 'keyframes', 'all'] as const;

const CameraDefaults = Type.Object(
  {
    rate: Type.Number({ ...captureSettings.rate, default: 1 }),
    format: oneOf(CAPTURE_FORMATS, { ...captureSettings.format, default: 'jpeg' }),
    quality: Type.Integer({ ...captureSettings.quality, default: 80 }),
    width: Type.Optional(Type.Integer(captureSettings.width)),
    transport: oneOf(TRANSPORTS, { ...captureSettings.transport, default: 'tcp' }),
    sampling: oneOf(SAMPLINGS, { ...captureSettings.sampling, default: 'auto' }),
    hwaccel: oneOf(HWACCELS, { ...captureSettings.hwaccel, default: 'none' }),
    matrix: oneOf(MATRICES, { ...captureSettings.matrix, default: 'auto' }),
    deinterlace: oneOf(DEINTERLACING, { ...captureSettings.deinterlace, default: 'auto' }),
    stallMs: Type.Integer({ ...captureSettings.stallMs, default: 5000 }),
    maxDelayMs: Type.Integer({ ...captureSettings.maxDelayMs, default: 5000 }),
    frozenMs: Type.Integer({ ...captureSettings.frozenMs, default: 60_000 }),
    connectMs: Type.Integer({ ...captureSettings.connectMs, default: 20_000 }),
    retryMs: Type.Integer({ ...captureSettings.retryMs, default: 30_000 }),
    redirects: oneOf(REDIRECT_POLICIES, { ...captureSettings.redirects, default: 'same-host' }),
    tls: Type.Optional(CameraTls),
  },
  { ...strict, default: {}, description: 'Settings of every camera that does not set them itself.' },
);

/** How a child is kept, in the words of OTP's supervisor: https://www.erlang.org/doc/system/sup_princ.html */
const childSettings = {
  restart: {
    description:
      'permanent: always started again; transient: unless it ended normally; temporary: never started again.',
  },
  maxRestarts: {
    minimum: 0,
    maximum: 10_000,
    description:
      'Restarts allowed within periodMs. One more: a camera is quarantined, anything else ends the daemon.',
  },
  periodMs: { minimum: 1000, maximum: 86_400_000, description: 'Window of maxRestarts, milliseconds.' },
  startMs: {
    minimum: 500,
    maximum: 600_000,
    description: 'Milliseconds to be ready after a start; time spent waiting for a processor is not counted.',
  },
  shutdownMs: { minimum: 100, maximum: 12_000, description: 'Milliseconds to stop before it is killed.' },
  backOffFirstMs: {
    minimum: 1,
    maximum: 60_000,
    description:
      'Longest pause before the second restart; doubled with every further one. The first is immediate.',
  },
  backOffCapMs: { minimum: 1, maximum: 3_600_000, description: 'Longest pause before any restart.' },
  probeMs: {
    minimum: 1000,
    maximum: 86_400_000,
    description: 'Milliseconds between two tries of a quarantined camera.',
  },
} as const;
const RESTARTS = ['permanent', 'transient', 'temporary'] as const;

interface ChildDefaults {
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly startMs: number;
  readonly shutdownMs: number;
}

function childDefaults({ maxRestarts, periodMs, startMs, shutdownMs }: ChildDefaults) {
  return {
    restart: oneOf(RESTARTS, { ...childSettings.restart, default: 'permanent' }),
    maxRestarts: Type.Integer({ ...childSettings.maxRestarts, default: maxRestarts }),
    periodMs: Type.Integer({ ...childSettings.periodMs, default: periodMs }),
    startMs: Type.Integer({ ...childSettings.startMs, default: startMs }),
    shutdownMs: Type.Integer({ ...childSettings.shutdownMs, default: shutdownMs }),
    backOffFirstMs: Type.Integer({ ...childSettings.backOffFirstMs, default: 250 }),
    backOffCapMs: Type.Integer({ ...childSettings.backOffCapMs, default: 30_000 }),
  };
}

const CameraActor = Type.Object(
  {
    restart: Type.Optional(oneOf(RESTARTS, childSettings.restart)),
    maxRestarts: Type.Optional(Type.Integer(childSettings.maxRestarts)),
    periodMs: Type.Optional(Type.Integer(childSettings.periodMs)),
    startMs: Type.Optional(Type.Integer(childSettings.startMs)),
    shutdownMs: Type.Optional(Type.Integer(childSettings.shutdownMs)),
    backOffFirstMs: Type.Optional(Type.Integer(childSettings.backOffFirstMs)),
    backOffCapMs: Type.Optional(Type.Integer(childSettings.backOffCapMs)),
    probeMs: Type.Optional(Type.Integer(childSettings.probeMs)),
  },
  { ...strict, description: "What this camera's actor has otherwise than actors.camera says." },
);

const Camera = Type.Object(
  {
    id: Type.String({
      pattern: CAMERA_ID_PATTERN,
      description:
        'a unique id of 1 to 64 letters, digits, "_" or "-" (it is part of keys, routing keys and paths)',
    }),
    enabled: Type.Boolean({ default: true, description: 'false keeps the entry and starts nothing.' }),
    url: Type.Optional(
      Type.String({ minLength: 1, description: `Stream to read: ${STREAM_SCHEMES.join(', ')}.` }),
    ),
    still: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Address of a still picture, http or https, asked for once a period: no ffmpeg, no decoding.',
      }),
    ),
    username: Type.Optional(Type.String({ description: 'Any characters, not percent-encoded.' })),
    password: Type.Optional(Type.String({ description: 'Any characters, not percent-encoded.' })),
    file: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Local video file, looped at its own speed; relative to actors.json.',
      }),
    ),
    test: Type.Optional(oneOf(TEST_PATTERNS, { description: 'Synthetic picture that needs no hardware.' })),
    rate: Type.Optional(Type.Number(captureSettings.rate)),
    format: Type.Optional(oneOf(CAPTURE_FORMATS, captureSettings.format)),
    quality: Type.Optional(Type.Integer(captureSettings.quality)),
    width: Type.Optional(Type.Integer(captureSettings.width)),
    transport: Type.Optional(oneOf(TRANSPORTS, captureSettings.transport)),
    sampling: Type.Optional(oneOf(SAMPLINGS, captureSettings.sampling)),
    hwaccel: Type.Optional(oneOf(HWACCELS, captureSettings.hwaccel)),
    matrix: Type.Optional(oneOf(MATRICES, captureSettings.matrix)),
    deinterlace: Type.Optional(oneOf(DEINTERLACING, captureSettings.deinterlace)),
    stallMs: Type.Optional(Type.Integer(captureSettings.stallMs)),
    maxDelayMs: Type.Optional(Type.Integer(captureSettings.maxDelayMs)),
    frozenMs: Type.Optional(Type.Integer(captureSettings.frozenMs)),
    connectMs: Type.Optional(Type.Integer(captureSettings.connectMs)),
    retryMs: Type.Optional(Type.Integer(captureSettings.retryMs)),
    redirects: Type.Optional(oneOf(REDIRECT_POLICIES, captureSettings.redirects)),
    tls: Type.Optional(CameraTls),
    actor: Type.Optional(CameraActor),
  },
  { ...strict, description: 'One feed. It has exactly one of "url", "still", "file" and "test".' },
);

function actorMode<const Modes extends readonly string[]>(modes: Modes) {
  return oneOf(modes, { default: 'forked', description: 'forked: a process of its own.' });
}

const Actors = Type.Object(
  {
    store: Type.Object(
      {
        mode: actorMode(['forked', 'in-memory']),
        ...childDefaults({ maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 2500 }),
        drainMs: Type.Integer({
          minimum: 0,
          maximum: 10_000,
          default: 1500,
          description: 'Milliseconds given to frames that wait when the daemon stops; below shutdownMs.',
        }),
      },
      { ...strict, default: {} },
    ),
    notifier: Type.Object(
      {
        mode: actorMode(['forked', 'in-memory']),
        ...childDefaults({ maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 1500 }),
      },
      { ...strict, default: {} },
    ),
    camera: Type.Object(
      {
        mode: actorMode(['forked']),
        ...childDefaults({ maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 2500 }),
        probeMs: Type.Integer({ ...childSettings.probeMs, default: 180_000 }),
      },
      { ...strict, default: {} },
    ),
    service: Type.Object(
      // A broker takes up to 16 s to start: three failures in ten minutes are no bad moment any more.
      childDefaults({ maxRestarts: 3, periodMs: 600_000, startMs: 90_000, shutdownMs: 6000 }),
      { ...strict, default: {}, description: 'The embedded servers.' },
    ),
  },
  { ...strict, default: {}, description: 'How each kind of actor runs and is kept running.' },
);

export const ActorsFile = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    namespace: Type.String({
      pattern: NAMESPACE_PATTERN,
      default: 'vigil',
      description: 'first part of every key, exchange and queue: 1 to 64 letters, digits, "_" or "-"',
    }),
    log: Type.Object(
      { level: oneOf(LOG_LEVELS, { default: 'info', description: 'Least severe level that is logged.' }) },
      { ...strict, default: {} },
    ),
    redis: server('redis', 'where frames are stored'),
    rabbitmq: server('amqp', 'where frames are announced'),
    user: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,31}$',
        description:
          'user of this machine, by name: a daemon that root starts runs as that user, with all its processes.',
      }),
    ),
    ffmpeg: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'ffmpeg program to use. Absent: the one of ffmpeg-static, else the one on PATH.',
      }),
    ),
    frames: Type.Object(
      {
        expireMs: Type.Integer({
          minimum: 2000,
          maximum: 604_800_000,
          default: 120_000,
          description: 'Lifetime of a frame in Redis. Its message lives nine tenths of that.',
        }),
        durability: oneOf(['memory', 'durable'] as const, {
          default: 'memory',
          description:
            'memory: a confirmed frame leaves the spool. durable: it stays there until Redis has it on disk, and is stored again when Redis loses its memory.',
        }),
      },
      { ...strict, default: {} },
    ),
    queue: Type.Object(
      {
        name: Type.Optional(
          Type.String({
            pattern: '^[A-Za-z0-9_.:-]{1,200}$',
            description:
              'queue for detection services, letters, digits and "_.:-"; absent: "<namespace>.detection"',
          }),
        ),
        maxLength: Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          default: 100_000,
          description: 'Messages the queue holds at most.',
        }),
        overflow: oneOf(['reject-publish', 'drop-head'] as const, {
          default: 'reject-publish',
          description: 'When full: keep new frames in the spool, or give up the oldest message.',
        }),
        deliveryLimit: Type.Integer({
          minimum: 1,
          maximum: 1000,
          default: 5,
          description: 'Times a message is delivered again before it goes to the dead-letter queue.',
        }),
      },
      { ...strict, default: {}, description: 'The queue the daemon declares for detection services.' },
    ),
    spool: Type.Object(
      {
        maxBytes: Type.Integer({
          minimum: 1_048_576,
          default: 1_073_741_824,
          description: 'Bytes of undelivered frames kept on disk, all cameras together.',
        }),
        maxAgeMs: Type.Integer({
          minimum: 1000,
          default: 3_600_000,
          description: 'Age at which an undelivered frame is dropped.',
        }),
        maxFrames: Type.Integer({
          minimum: 100,
          maximum: 500_000,
          default: 200_000,
          description: 'Undelivered frames kept, all cameras together; the store knows each, at 200 bytes.',
        }),
        minFreeBytes: Type.Integer({
          minimum: 0,
          default: 268_435_456,
          description:
            'Bytes left free on the disk: below, frames are buffered in memory, and the oldest on disk are dropped only where that frees as much.',
        }),
        replay: oneOf(['oldest-first', 'newest-first', 'none'] as const, {
          default: 'oldest-first',
          description: 'Order of what waited through an outage, behind the live frames; none: it is dropped.',
        }),
        replayRate: Type.Number({
          minimum: 1,
          maximum: 10_000,
          default: 150,
          description: 'Frames a second of what waited through an outage, at most.',
        }),
      },
      { ...strict, default: {}, description: 'Frames that wait for Redis or RabbitMQ, on disk.' },
    ),
    ledger: Type.Object(
      {
        keepHours: Type.Integer({
          minimum: 2,
          maximum: 87_600,
          default: 168,
          description: 'Hours whose records are kept.',
        }),
        maxBytes: Type.Integer({
          minimum: 1_048_576,
          default: 67_108_864,
          description: 'Bytes of records kept; beyond, the oldest hours go.',
        }),
      },
      { ...strict, default: {}, description: 'Records of what became of every sampling period.' },
    ),
    actors: Actors,
    supervision: Type.Object(
      {
        restartsPerMinute: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          default: 60,
          description: 'Restarts of all cameras together within any minute.',
        }),
        parallelStarts: Type.Integer({
          minimum: 1,
          maximum: 1000,
          default: 4,
          description: 'Cameras being started at the same time.',
        }),
      },
      { ...strict, default: {}, description: 'Bounds that keep troubled cameras from burdening the others.' },
    ),
    cameraDefaults: CameraDefaults,
    cameras: Type.Array(Camera, { maxItems: 10_000, description: 'The feeds, one actor each.' }),
  },
  {
    ...strict,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Vigil: actors.json',
    description: 'Any string may hold ${NAME}, taken from the environment; $${ stands for a literal ${.',
  },
);
export type ActorsFile = Static<typeof ActorsFile>;
export type CameraEntry = ActorsFile['cameras'][number];
export type ServerEntry = ActorsFile['redis'];
