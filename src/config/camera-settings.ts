/**
 * Every setting of a camera, defined once: values, default, the sources it applies to, the effect of a
 * change. The schema, the types, `cameraDefaults`, the resolved camera, the running camera's comparison and
 * docs/configuration.md follow from it. Pure data.
 */
import {
  ANY_SOURCE,
  NETWORK,
  OVER_HTTP,
  STREAM_SCHEMES,
  TURNABLE,
  VIDEO,
  type SourceKind,
} from './camera-sources';
import type { CameraSetting } from './camera-setting';

export const CAMERA_SETTINGS = {
  rate: {
    schema: { type: 'number', minimum: 0.1, maximum: 5, description: 'Pictures per second.' },
    default: 1,
    ...{ sources: ANY_SOURCE, resolved: 'derived', effect: 'at-once' },
  },
  format: {
    schema: {
      type: 'string',
      enum: ['jpeg', 'png', 'webp', 'keyframe'],
      description:
        'Encoding of the stored picture. keyframe: the keyframe as the camera sent it (H.264 or H.265); the consumer decodes it. A change to or from keyframe reopens the feed.',
    },
    default: 'jpeg',
    values: { keyframe: [...NETWORK, 'file'] },
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'decoder' },
  },
  quality: {
    schema: { type: 'integer', minimum: 1, maximum: 100, description: 'JPEG and WebP quality.' },
    default: 80,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'decoder' },
  },
  width: {
    schema: {
      type: 'integer',
      minimum: 16,
      maximum: 8192,
      description:
        'Width in pixels, at most; the height follows. A smaller picture is not enlarged. Absent: as sent.',
    },
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'decoder' },
  },
  aspect: {
    schema: {
      type: 'string',
      enum: ['square', 'as-sent'],
      description:
        'Video whose pixels are not square (sample aspect ratio). square: stretched, so that shapes are right. as-sent: the pixels as they are coded.',
    },
    default: 'square',
    absent: 'square',
    ...{ sources: VIDEO, resolved: 'same', effect: 'decoder' },
  },
  rotate: {
    schema: {
      type: 'integer',
      minimum: 0,
      maximum: 270,
      multipleOf: 90,
      description:
        'Degrees clockwise by which pictures are turned, whatever the video says: 0, 90, 180 or 270. Absent: as the video says, if it does (display matrix of a file, display orientation of H.264 and H.265, Exif). Keyframes are never turned.',
    },
    ...{ sources: TURNABLE, resolved: 'same', effect: 'decoder' },
  },
  transport: {
    schema: {
      type: 'string',
      enum: ['tcp', 'udp', 'auto'],
      description: 'RTSP transport. auto: UDP, or TCP if no UDP packet arrives.',
    },
    default: 'tcp',
    values: { udp: ['rtsp'] },
    ...{ sources: STREAM_SCHEMES, resolved: 'source', effect: 'reopen' },
  },
  sampling: {
    schema: {
      type: 'string',
      enum: ['auto', 'keyframes', 'all'],
      description:
        'Pictures that are decoded. auto: only keyframes if they come often enough, otherwise also the pictures each sample depends on. keyframes: only keyframes, whatever their interval. all: every picture.',
    },
    default: 'auto',
    ...{ sources: VIDEO, resolved: 'same', effect: 'at-once' },
  },
  hwaccel: {
    schema: {
      type: 'string',
      enum: ['none', 'vaapi', 'cuda', 'qsv', 'videotoolbox', 'auto'],
      description:
        'Hardware decoder of ffmpeg. auto: the first that starts. If none starts, the feed is decoded in software.',
    },
    default: 'none',
    absent: 'none',
    ...{ sources: VIDEO, resolved: 'same', effect: 'reopen' },
  },
  matrix: {
    schema: {
      type: 'string',
      enum: ['auto', 'bt601', 'bt709', 'bt2020'],
      description:
        'YUV colour matrix of the video. auto: the one the stream names; if it names none, bt709 from 720 lines on and bt601 below.',
    },
    default: 'auto',
    absent: 'auto',
    ...{ sources: VIDEO, resolved: 'same', effect: 'decoder' },
  },
  deinterlace: {
    schema: {
      type: 'string',
      enum: ['auto', 'off'],
      description:
        'Interlaced video. auto: one field, the missing lines interpolated (bob). off: both fields as sent.',
    },
    default: 'auto',
    ...{ sources: VIDEO, resolved: 'derived', effect: 'decoder' },
  },
  stallMs: {
    schema: {
      type: 'integer',
      minimum: 1000,
      maximum: 600_000,
      description: 'Milliseconds without data after which the feed is reopened.',
    },
    default: 5000,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'at-once' },
  },
  maxDelayMs: {
    schema: {
      type: 'integer',
      minimum: 1000,
      maximum: 60_000,
      description:
        'Largest delay of pictures over a link slower than the stream, milliseconds. Beyond it, the feed is reopened at its newest picture.',
    },
    default: 5000,
    ...{ sources: STREAM_SCHEMES, resolved: 'same', effect: 'at-once' },
  },
  frozenMs: {
    schema: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400_000,
      description: 'Milliseconds of the same picture after which it is reported as frozen. 0: never.',
    },
    default: 60_000,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'at-once' },
  },
  sessions: {
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description:
        'Viewers that the camera allows at the same time. In a fleet, 1: a node stops before another starts, and a node that etcd has lost stops.',
    },
    default: 2,
    absent: 2,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'at-once' },
  },
  connectMs: {
    schema: {
      type: 'integer',
      minimum: 1000,
      maximum: 600_000,
      description: 'Milliseconds from opening a feed to its first picture, after which opening has failed.',
    },
    default: 20_000,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'at-once' },
  },
  retryMs: {
    schema: {
      type: 'integer',
      minimum: 500,
      maximum: 3_600_000,
      description:
        'Longest pause before a failed feed is opened again, milliseconds. The first pause is half a second and doubles with every failure; it ends early when a camera that was gone accepts connections again.',
    },
    default: 30_000,
    ...{ sources: ANY_SOURCE, resolved: 'same', effect: 'at-once' },
  },
  redirects: {
    schema: {
      type: 'string',
      enum: ['same-host', 'any-host'],
      description:
        'Hosts an HTTP redirect may lead to: the host of the URL, or any. Redirects to another scheme or to an address of this machine are never followed.',
    },
    default: 'same-host',
    ...{ sources: OVER_HTTP, resolved: 'source', effect: 'reopen' },
  },
  username: {
    schema: { type: 'string', description: 'User name. Any characters, not percent-encoded.' },
    ...{ sources: NETWORK, resolved: 'source', effect: 'reopen' },
  },
  password: {
    schema: { type: 'string', description: 'Password. Any characters, not percent-encoded.' },
    ...{ sources: NETWORK, resolved: 'source', effect: 'reopen' },
  },
  tls: {
    schema: {
      type: 'object',
      properties: {
        verify: {
          type: 'boolean',
          description:
            'Whether the certificate is verified over rtsps, https and rtmps. Absent: only if "ca" is given.',
        },
        ca: {
          type: 'string',
          minLength: 1,
          description:
            'PEM file of certificates that are trusted instead of the system’s: of the authority, or of the camera itself. Relative to actors.json.',
        },
      },
      additionalProperties: false,
      description: 'Verification of the camera’s certificate.',
    },
    ...{ sources: NETWORK, resolved: 'source', effect: 'reopen' },
  },
} as const satisfies Readonly<Record<string, CameraSetting>>;

type Settings = typeof CAMERA_SETTINGS;
export type CameraSettingName = keyof Settings;

/** Names of the settings that are resolved to their own name and value. */
export type SameName = {
  [K in CameraSettingName]: Settings[K]['resolved'] extends 'same' ? K : never;
}[CameraSettingName];

export const CAMERA_SETTING_NAMES = Object.keys(CAMERA_SETTINGS) as CameraSettingName[];

/** The definition of a setting, under one type for all settings. */
export function cameraSetting(name: CameraSettingName): CameraSetting {
  return CAMERA_SETTINGS[name];
}

/** Whether a source has the setting, and the value if there is one. */
export function appliesTo(name: CameraSettingName, kind: SourceKind, value?: unknown): boolean {
  const { sources, values } = cameraSetting(name);
  const limited = typeof value === 'string' && values !== undefined ? values[value] : undefined;
  return sources.includes(kind) && (limited === undefined || limited.includes(kind));
}
