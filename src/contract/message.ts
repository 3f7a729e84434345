/** The events on RabbitMQ: CloudEvents 1.0 in structured JSON. Schema, type and check have one source. */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN, CLOCKS, FRAME_FORMATS, MAX_TAGS, TAG_PATTERN } from './frame';
import { VERDICT_REASONS, VERDICTS } from './verdict';

/** States of a camera: the first three are its feed's, the others its actor's. */
export const CAMERA_STATES = [
  'connecting',
  'streaming',
  'waiting',
  'restarting',
  'quarantined',
  'stopped',
] as const;

const Milliseconds = (description: string) => Type.Integer({ minimum: 0, description });
const Node = Type.Optional(
  Type.String({
    minLength: 1,
    description: 'Node of the fleet that sent the event. Absent without a fleet.',
  }),
);
/** How the services of a queue remove a frame, as `removal` of consumers; `any` leaves it to the consumer. */
export const REMOVALS = ['after', 'getdel', 'keep', 'any'] as const;

const CameraId = Type.String({ pattern: CAMERA_ID_PATTERN, description: 'Camera the event is about.' });

function cloudEvent<const Kind extends string, Data extends TSchema>(type: Kind, data: Data) {
  return Type.Object(
    {
      specversion: Type.Literal('1.0'),
      id: Type.String({ minLength: 1, description: 'Deterministic: a repeat has the same id.' }),
      source: Type.String({ description: '`/vigil/<namespace>/camera/<id>`' }),
      type: Type.Literal(type),
      subject: CameraId,
      time: Type.String({ description: 'RFC 3339, UTC, milliseconds.' }),
      partitionkey: Type.Optional(
        Type.String({
          description: 'The camera: events of one camera are in order. Absent of older versions.',
        }),
      ),
      dataref: Type.Optional(
        Type.String({
          description:
            'For a frame: `redis:` and `data.key`. Which Redis it is, and its password, is in no message. Absent of older versions.',
        }),
      ),
      expirytime: Type.Optional(
        Type.String({
          description: 'For a frame: when its message expires, RFC 3339. Absent of older versions.',
        }),
      ),
      datacontenttype: Type.Literal('application/json'),
      data,
    },
    { additionalProperties: true },
  );
}

export const FrameSampled = cloudEvent(
  'vigil.frame.sampled.v1',
  Type.Object({
    key: Type.String({ description: 'Redis key whose value is the encoded picture.' }),
    camera: CameraId,
    tags: Type.Optional(
      Type.Array(Type.String({ pattern: TAG_PATTERN }), {
        minItems: 1,
        maxItems: MAX_TAGS,
        description:
          'Tags of the camera when the frame was announced, in the order of the configuration. Absent of a camera without tags.',
      }),
    ),
    capturedAt: Milliseconds('Capture time, milliseconds since the epoch.'),
    width: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    sourceWidth: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Pixels of the picture as the camera sent it, before it was turned, scaled or given square pixels. Absent of frames spooled by an older version.',
      }),
    ),
    sourceHeight: Type.Optional(Type.Integer({ minimum: 1, description: 'As sourceWidth.' })),
    rotation: Type.Optional(
      Type.Union(
        ([90, 180, 270] as const).map((degrees) => Type.Literal(degrees)),
        {
          description:
            'Degrees clockwise by which the consumer has to turn the picture to make it upright: keyframes are stored as the camera sent them. Absent where it is upright.',
        },
      ),
    ),
    format: Type.Union(
      FRAME_FORMATS.map((format) => Type.Literal(format)),
      { description: 'Encoding of the picture.' },
    ),
    bytes: Type.Integer({ minimum: 1, description: 'Size of the encoded picture.' }),
    sequence: Type.Integer({
      minimum: 0,
      description:
        'Number of the sampling period since the epoch, by the arrival of the picture less linkDelayMs; a step of more than one is a gap, unless the clock of this machine was set forward.',
    }),
    recipients: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1 }),
        Type.Union(REMOVALS.map((removal) => Type.Literal(removal))),
        {
          description:
            'Present when several queues get the frame: those whose services must have it, and how each is done with it. The picture is removed only when all are (docs/contract.md).',
        },
      ),
    ),
    delayed: Type.Boolean({
      description: 'True when the frame waited in the spool for more than 5 seconds, behind an outage.',
    }),
    ageMs: Milliseconds('From the capture to the announcement.'),
    node: Node,
    clock: Type.Optional(
      Type.Union(
        CLOCKS.map((clock) => Type.Literal(clock)),
        {
          description:
            "Whose clock capturedAt is by. camera: the camera's own, as its RTCP sender reports give it; arrival: that of this machine when the picture came, or on its way between the two. Absent of frames spooled by an older version.",
        },
      ),
    ),
    clockSkewMs: Type.Optional(
      Type.Integer({
        description:
          "Milliseconds of the camera's clock minus the arrival of its pictures, whichever of them capturedAt is by. Absent until the camera has reported its time.",
      }),
    ),
    clockUnset: Type.Optional(
      Type.Literal(true, {
        description:
          "Present when the clock of Vigil's machine was from before this version of Vigil was made, and so was wrong: capturedAt, time and sequence are by that clock.",
      }),
    ),
    linkDelayMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Milliseconds by which the picture came later than the link can bring it: the link is slower than the stream, or stalled. capturedAt is earlier by them. Absent below 500, and where the stream has no times to derive it from.',
      }),
    ),
    verdict: Type.Optional(
      Type.Object(
        {
          kind: Type.Union(
            VERDICTS.map((kind) => Type.Literal(kind)),
            {
              description:
                "torn: it, or a picture it builds on, is damaged or cut; black; grey: one flat tone; frozen: not a point changed for longer than the camera's frozenMs; static: nothing to see changed for as long, but the camera goes on seeing; healthy: none of these was found.",
            },
          ),
          confidence: Type.Integer({
            minimum: 0,
            maximum: 100,
            description:
              'How many of a hundred such verdicts are right; 50 for a picture that was not decoded, and so not looked at.',
          }),
          reason: Type.Optional(
            Type.Union(
              VERDICT_REASONS.map((reason) => Type.Literal(reason)),
              {
                description:
                  'By what it was found, for programs. Absent of healthy, and of frames spooled by an older version. More may be added.',
              },
            ),
          ),
        },
        { description: 'Whether the picture is a good one. Absent of frames spooled by an older version.' },
      ),
    ),
  }),
);
export type FrameSampled = Static<typeof FrameSampled>;

export const CameraStateChanged = cloudEvent(
  'vigil.camera.state.v1',
  Type.Object({
    camera: CameraId,
    state: Type.Union(
      CAMERA_STATES.map((state) => Type.Literal(state)),
      {
        description:
          'connecting: no picture yet; streaming: pictures arrive; waiting: next try after a fault; restarting: its process ended and comes back; quarantined: it ended too often and is tried now and then; stopped: no longer wanted.',
      },
    ),
    sinceMs: Milliseconds('When the state began, milliseconds since the epoch.'),
    fault: Type.Optional(
      Type.Object({
        code: Type.String({ description: 'Stable identifier for programs.' }),
        message: Type.String({ description: 'One sentence for people, without credentials.' }),
      }),
    ),
    node: Node,
  }),
);
export type CameraStateChanged = Static<typeof CameraStateChanged>;

export const FramesMissed = cloudEvent(
  'vigil.camera.gap.v1',
  Type.Object({
    camera: CameraId,
    firstSequence: Type.Integer({ minimum: 0, description: 'First sampling period without a frame.' }),
    lastSequence: Type.Integer({ minimum: 0, description: 'Last sampling period without a frame.' }),
    missed: Type.Integer({ minimum: 1, description: 'Number of periods without a frame.' }),
    reason: Type.String({ description: 'Code of the fault behind it.' }),
    node: Node,
  }),
);
export type FramesMissed = Static<typeof FramesMissed>;

export type Recipients = NonNullable<FrameSampled['data']['recipients']>;
export type CameraState = CameraStateChanged['data'];
export type Gap = FramesMissed['data'];
export type VigilEvent = FrameSampled | CameraStateChanged | FramesMissed;
