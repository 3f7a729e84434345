/** The settings of actors.json for detection services, each of which gets a queue of its own. */
import { Type, type Static } from '@sinclair/typebox';
import { chosenTags, defaulted, optional, type Effect } from './schema-parts';

const EFFECT: Effect = 'live';

const Consumer = Type.Object(
  {
    cameras: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[A-Za-z0-9_*-]{1,64}$',
          description:
            'the id of a camera, or a pattern such as "gate*", in which * stands for any characters',
        }),
        {
          minItems: 1,
          maxItems: 10_000,
          uniqueItems: true,
          description:
            'Only these cameras, by id or by a pattern such as gate*, and those with one of tags. Absent, and without tags: all.',
        },
      ),
    ),
    tags: chosenTags('Only cameras with one of these tags, and those of cameras.'),
    events: Type.Array(
      Type.Unsafe<'frame' | 'gap' | 'state'>({
        type: 'string',
        enum: ['frame', 'gap', 'state'],
        description: 'a kind of event',
      }),
      {
        minItems: 1,
        uniqueItems: true,
        default: ['frame'],
        description: 'Kinds of events that the service gets: frame, gap, state.',
      },
    ),
    removal: defaulted(
      {
        type: 'string',
        enum: ['after', 'getdel', 'keep'],
        description:
          'When the service is done with a picture. after: when its work is done (at least once). getdel: as it is fetched (at most once). keep: never; the picture stays until it expires, whatever other services do.',
      },
      'after',
    ),
    maxLength: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        description: "Messages the service's queue holds at most.",
      },
      10_000,
    ),
    overflow: defaulted(
      {
        type: 'string',
        enum: ['drop-head', 'reject-publish'],
        description:
          'When the queue is full. drop-head: its oldest message becomes a dead letter. reject-publish: this service misses new messages. Neither affects other queues.',
      },
      'drop-head',
    ),
    lifetimeMs: optional({
      type: 'integer',
      minimum: 1000,
      maximum: 604_800_000,
      description:
        'Milliseconds after which a message that was not delivered becomes a dead letter. Absent: nine tenths of frames.expireMs.',
    }),
    deliveryLimit: defaulted(
      {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'Redeliveries of a message before it becomes a dead letter.',
      },
      5,
    ),
    protocol: defaulted(
      {
        type: 'string',
        enum: ['cloudevents', 'celery'],
        description:
          'Form of the messages. cloudevents: as docs/contract.md has it. celery: tasks for a Celery worker, each with the event as its only argument.',
      },
      'cloudevents',
    ),
    task: optional({
      type: 'string',
      pattern: '^[A-Za-z0-9_.:-]{1,200}$',
      description:
        'name of the Celery task, such as "detect.frame", which it is when absent: letters, digits and "_.:-"',
    }),
    remove: defaulted(
      {
        type: 'boolean',
        description:
          'true: the queue of the service and its dead-letter queue are deleted, with the messages in them.',
      },
      false,
    ),
  },
  { additionalProperties: false, description: 'A detection service.' },
);
export type ConsumerEntry = Static<typeof Consumer>;

/** By name; a separate rule checks the names. */
export const Consumers = Type.Unsafe<Readonly<Record<string, ConsumerEntry>>>({
  type: 'object',
  additionalProperties: Consumer,
  maxProperties: 64,
  default: {},
  effect: EFFECT,
  description:
    'Detection services by name, each with a queue of its own, <namespace>.<name>, and a dead-letter queue. A picture stays in Redis until each service that gets it is done with it, or it expires (docs/consumers.md).',
});
