/** Makes a row of what is not as in the plain one, and names it by that. Pure. */
import type { CameraAudio } from '../feeds/camera-description';
import { PLAIN, recipeName, type Recipe } from './recipe';
import type { FeedKind, Row, RowQuirks } from './row';

export interface Variation {
  readonly feed?: FeedKind;
  readonly recipe?: Partial<Recipe>;
  readonly audio?: CameraAudio;
  readonly joinAt?: number;
  readonly quirks?: RowQuirks;
  readonly camera?: Readonly<Record<string, unknown>>;
  readonly seconds?: number;
  readonly cheap?: boolean;
}

const PERIOD_MS = 1000;
/** Milliseconds, where a keyframe comes in much less: a row without pictures is soon known for one. */
const CONNECT_MS = 10_000;
const SECONDS = 7;
/** A live playlist has a discontinuity where its clip starts again: none while a row is watched. */
const WITHOUT_END = 24;

/** What each feed carries where nothing else is varied. */
const CARRIED: Readonly<Record<FeedKind, Partial<Recipe>>> = {
  'rtsp-tcp': {},
  'rtsp-udp': {},
  'gst-tcp': {},
  'gst-udp': {},
  rtmp: {},
  hls: { seconds: WITHOUT_END },
  'hls-plain': { seconds: WITHOUT_END },
  file: {},
  mjpeg: { codec: 'mjpeg' },
  still: { codec: 'mjpeg' },
};
export function rowOf(variation: Variation): Row {
  const {
    feed = 'rtsp-tcp',
    audio,
    joinAt,
    quirks,
    camera = {},
    seconds = SECONDS,
    cheap = false,
  } = variation;
  const recipe = { ...PLAIN, ...CARRIED[feed], ...variation.recipe };
  return {
    ...{ feed, recipe, cheap, seconds },
    camera: { ...(recipe.gopS < 5 ? { connectMs: CONNECT_MS } : {}), ...camera },
    name: nameOf(feed, variation, recipe),
    everyMs: isOnlyKeyframes(camera) ? Math.max(PERIOD_MS, 1000 * recipe.gopS) : PERIOD_MS,
    ...(audio === undefined ? {} : { audio }),
    ...(joinAt === undefined ? {} : { joinAt }),
    ...(quirks === undefined ? {} : { quirks }),
  };
}

function isOnlyKeyframes(camera: Row['camera']): boolean {
  return camera['sampling'] === 'keyframes' || camera['format'] === 'keyframe';
}

function nameOf(feed: FeedKind, { audio, joinAt, quirks, camera = {} }: Variation, recipe: Recipe): string {
  const settings = Object.entries(camera).filter(([key, value]) => key !== 'sampling' || value !== 'auto');
  const encoded = recipeName({ ...recipe, seconds: PLAIN.seconds });
  const isEnding = feed.startsWith('hls') && recipe.seconds < WITHOUT_END;
  return [
    feed,
    ...(encoded === 'plain' ? [] : [encoded.replaceAll('_', ' ')]),
    ...(isEnding ? ['discontinuity'] : []),
    ...(audio === undefined ? [] : [`audio-${audio.place} ${audio.codec}`]),
    ...(audio?.refused === undefined ? [] : [`refused-${audio.refused}`]),
    ...(joinAt === undefined ? [] : [`join-${joinAt}`]),
    ...Object.entries(quirks ?? {}).map(([key, value]) => `${key}-${String(value)}`),
    ...settings.map(([key, value]) => `${key}=${String(value)}`),
  ].join(' ');
}
