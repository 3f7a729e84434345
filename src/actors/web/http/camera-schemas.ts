/** The schemas of what changes cameras. See ../api. */
import { Type } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN } from '../../../contract/frame';
import type { ApiCameraDetail, ApiEdit, ApiProbe } from '../view/api';
import { Camera, closed, Fault, type Answers } from './schemas';

/** Checked with the whole configuration, by the schema of actors.json. */
const Settings = Type.Record(Type.String(), Type.Unknown(), {
  description:
    'The settings of a camera as in actors.json (docs/configuration.md). "username" and "password" are written and never read: absent, they stay as they are; null takes them away.',
});

export const CameraDetail = Type.Object(
  {
    ...Camera.properties,
    settings: Type.Optional(Settings),
    hidden: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Settings that are there and not shown, or not whole, such as a password or the query of a URL.',
      }),
    ),
  },
  closed,
);

export const Body = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Settings of the camera; or what GET gave, of which only "settings" counts.',
});

const Change = Type.Object({ name: Type.String(), because: Type.Array(Type.String()) }, closed);
const Names = Type.Array(Type.String());

export const EditDone = Type.Object(
  {
    applied: Type.Boolean({ description: 'False: only the plan was asked for.' }),
    created: Type.Boolean({ description: 'The camera was not there before.' }),
    plan: Type.Object(
      {
        start: Names,
        stop: Names,
        restart: Type.Array(Change),
        adjust: Type.Array(Change, { description: 'Changed without a restart.' }),
        leave: Names,
      },
      { ...closed, description: 'What changes in the running daemon, by the name of the actor.' },
    ),
  },
  closed,
);

export const EditQuery = Type.Object(
  { plan: Type.Boolean({ default: false, description: 'true: only says what would change.' }) },
  closed,
);

export const Conditions = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'ETag of GET /api/cameras/{id}, or *: whatever the file says now.',
    }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ maxLength: 4096, description: '*: only if there is no such camera yet.' }),
  ),
});

export const Begun = Type.Object({ id: Type.String({ pattern: CAMERA_ID_PATTERN }) }, closed);

export const ProbeBody = Type.Object(
  {
    camera: Type.Optional(
      Type.String({
        pattern: CAMERA_ID_PATTERN,
        description: 'A camera of the configuration; the settings beside it are in the place of its own.',
      }),
    ),
    seconds: Type.Integer({ minimum: 1, maximum: 30, default: 10, description: 'How long at most.' }),
  },
  { additionalProperties: true, description: 'Settings of a camera, such as "url", or the id of one.' },
);

const Measured = Type.Union([Type.Number(), Type.Null()]);
const Said = Type.Union([Type.String(), Type.Null()]);

export const ProbeReport = Type.Object(
  {
    feed: Type.String(),
    codec: Said,
    width: Measured,
    height: Measured,
    picturesPerSecond: Measured,
    keyframeIntervalMs: Type.Union([
      Type.Object({ mean: Type.Number(), least: Type.Number(), most: Type.Number() }, closed),
      Type.Null(),
    ]),
    firstPictureMs: Measured,
    clockOffsetMs: Measured,
    sampling: Type.String(),
    samplingReason: Type.String(),
    processorSecondsPerMinute: Measured,
    measuredForMs: Measured,
    transport: Said,
    decoding: Said,
    fault: Type.Union([Fault, Type.Null()]),
    jpeg: Type.Optional(Type.String({ description: 'The first picture, base64.' })),
  },
  { ...closed, description: 'null: what could not be measured.' },
);

export type CheckedAnswers = [
  Answers<typeof CameraDetail, ApiCameraDetail>,
  Answers<typeof EditDone, ApiEdit>,
  Answers<typeof ProbeReport, ApiProbe>,
];
