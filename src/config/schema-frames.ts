/** The settings of actors.json for frames in transit: in Redis, in the queue, in the spool and in the ledger. */
import { defaulted, optional, section } from './schema-parts';

export const Frames = section(
  {
    expireMs: defaulted(
      {
        type: 'integer',
        minimum: 2000,
        maximum: 604_800_000,
        description:
          'Lifetime of a frame in Redis, milliseconds. Its message expires after nine tenths of it.',
      },
      120_000,
      'live',
    ),
    durability: defaulted(
      {
        type: 'string',
        enum: ['memory', 'durable'],
        description:
          'memory: a confirmed frame leaves the spool. durable: it stays in the spool until Redis has it on disk, and is stored again if Redis loses its memory.',
      },
      'memory',
      'restarts the store',
    ),
  },
  'Frames in Redis.',
);

export const Queue = section(
  {
    name: optional({
      type: 'string',
      pattern: '^[A-Za-z0-9_.:-]{1,200}$',
      description:
        'queue for detection services, letters, digits and "_.:-"; absent: "<namespace>.detection"',
    }),
    maxLength: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        description: 'Messages the queue holds at most.',
      },
      100_000,
    ),
    overflow: defaulted(
      {
        type: 'string',
        enum: ['reject-publish', 'drop-head'],
        description:
          'When the queue is full. reject-publish: new frames wait in the spool. drop-head: the oldest message is dropped.',
      },
      'reject-publish',
    ),
    deliveryLimit: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'Redeliveries of a message before it is moved to the dead-letter queue.',
      },
      5,
    ),
    required: defaulted(
      {
        type: 'boolean',
        description:
          'Whether pictures stay in Redis until the consumers of this queue, too, are done with them. false: where all services have their queues in consumers, and none reads this one.',
      },
      true,
    ),
  },
  'The queue the daemon declares for detection services.',
  'restarts the notifier',
);

export const Spool = section(
  {
    maxBytes: defaulted(
      {
        type: 'integer',
        minimum: 1_048_576,
        description: 'Bytes of undelivered frames kept on disk, all cameras together.',
      },
      1_073_741_824,
    ),
    maxAgeMs: defaulted(
      {
        type: 'integer',
        minimum: 1000,
        description: 'Age at which an undelivered frame is dropped, milliseconds.',
      },
      3_600_000,
    ),
    maxFrames: defaulted(
      {
        type: 'integer',
        minimum: 100,
        maximum: 500_000,
        description:
          'Undelivered frames kept, all cameras together. Each takes 200 bytes of the store’s memory.',
      },
      200_000,
    ),
    minFreeBytes: defaulted(
      {
        type: 'integer',
        minimum: 0,
        description:
          'Bytes left free on the disk. Below, frames are buffered in memory, and the oldest on disk are dropped only if that frees as much.',
      },
      268_435_456,
      'restarts the store; live for cameras',
    ),
    replay: defaulted(
      {
        type: 'string',
        enum: ['oldest-first', 'newest-first', 'none'],
        description:
          'Order of frames that waited through an outage, after the live frames. none: they are dropped.',
      },
      'oldest-first',
    ),
    replayRate: defaulted(
      {
        type: 'number',
        minimum: 1,
        maximum: 10_000,
        description: 'Frames per second that are replayed after an outage, at most.',
      },
      150,
    ),
  },
  'Frames that wait on disk for Redis or RabbitMQ.',
  'restarts the store',
);

export const Ledger = section(
  {
    keepHours: defaulted(
      { type: 'integer', minimum: 2, maximum: 87_600, description: 'Hours whose records are kept.' },
      168,
    ),
    maxBytes: defaulted(
      {
        type: 'integer',
        minimum: 1_048_576,
        description: 'Bytes of records kept. Beyond, the oldest hours are deleted.',
      },
      67_108_864,
    ),
  },
  'Records of the fate of every sampling period.',
  'live',
);
