/** The cameras of actors.json, and the settings they share, as the table of camera settings gives them. */
import { Type, type TOptional, type TUnsafe } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN, MAX_TAGS } from '../contract/frame';
import { CAMERA_EFFECTS } from './camera-setting';
import {
  CAMERA_SETTINGS,
  CAMERA_SETTING_NAMES,
  cameraSetting,
  type CameraSettingName,
} from './camera-settings';
import { STILL_SCHEMES, STREAM_SCHEMES, TEST_PATTERNS } from './camera-sources';
import { CameraActor } from './schema-actors';
import { TAG, defaulted, optional } from './schema-parts';
import type { ValueOf } from './setting-schema';

type Settings = typeof CAMERA_SETTINGS;
type Value<K extends CameraSettingName> = TUnsafe<ValueOf<Settings[K]['schema']>>;
/** Settings of a single camera. */
type Own = { [K in CameraSettingName]: TOptional<Value<K>> };
/** Settings of all cameras: with a default if there is one. */
type Shared = {
  [K in CameraSettingName]: Settings[K] extends { readonly default: unknown }
    ? Value<K>
    : TOptional<Value<K>>;
};

function own(name: CameraSettingName) {
  const { schema, effect } = cameraSetting(name);
  return Type.Optional(Type.Unsafe({ ...schema, effect: CAMERA_EFFECTS[effect] }));
}

function shared(name: CameraSettingName) {
  const { schema, effect, default: usual } = cameraSetting(name);
  const annotated = { ...schema, effect: CAMERA_EFFECTS[effect] };
  return usual === undefined
    ? Type.Optional(Type.Unsafe(annotated))
    : Type.Unsafe({ ...annotated, default: usual });
}

const ownSettings = Object.fromEntries(CAMERA_SETTING_NAMES.map((name) => [name, own(name)])) as Own;
const sharedSettings = Object.fromEntries(CAMERA_SETTING_NAMES.map((name) => [name, shared(name)])) as Shared;

export const CameraDefaults = Type.Object(sharedSettings, {
  additionalProperties: false,
  default: {},
  description:
    'Settings of every camera that does not set them itself. A camera whose source a setting does not apply to ignores it.',
});

export const Camera = Type.Object(
  {
    id: Type.String({
      pattern: CAMERA_ID_PATTERN,
      description:
        'a unique id of 1 to 64 letters, digits, "_" or "-" (it is part of keys, routing keys and paths)',
      effect: 'stops the camera and starts another',
    }),
    enabled: defaulted(
      { type: 'boolean', description: 'false keeps the entry and starts nothing.' },
      true,
      'starts or stops the camera',
    ),
    tags: Type.Array(TAG, {
      uniqueItems: true,
      maxItems: MAX_TAGS,
      default: [],
      description: `Groups the camera belongs to, at most ${MAX_TAGS}: 1 to 32 letters, digits or "_.:-" each. The page, status, the API and consumers can choose cameras by them.`,
      effect: 'live, restarts nothing',
    }),
    url: Type.Optional(
      Type.String({
        minLength: 1,
        schemes: STREAM_SCHEMES,
        description: `Stream to read: ${STREAM_SCHEMES.join(', ')}.`,
        effect: CAMERA_EFFECTS.reopen,
      }),
    ),
    still: Type.Optional(
      Type.String({
        minLength: 1,
        schemes: STILL_SCHEMES,
        description: 'URL of a still picture (http or https), requested once per period without ffmpeg.',
        effect: CAMERA_EFFECTS.reopen,
      }),
    ),
    file: Type.Optional(
      Type.String({
        minLength: 1,
        isFile: true,
        description: 'Local video file, looped at its own speed. Relative to actors.json.',
        effect: CAMERA_EFFECTS.reopen,
      }),
    ),
    test: optional({
      type: 'string',
      enum: TEST_PATTERNS,
      description: 'Synthetic picture that needs no hardware.',
      effect: CAMERA_EFFECTS.reopen,
    } as const),
    ...ownSettings,
    actor: Type.Optional(CameraActor),
  },
  {
    additionalProperties: false,
    description: 'One feed. It has exactly one of "url", "still", "file" and "test".',
  },
);
