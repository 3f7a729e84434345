/** What a configuration needs of the machine, computed from the configuration alone. */
import type { Topology } from '../config/topology';
import { descriptorsNeeded, embeddedPrograms } from './descriptors';
import { needsNoFfmpeg } from './ffmpeg-program';

/** Bytes assumed per picture: 1080p as JPEG at the default quality. Figures grow in proportion. */
export const PICTURE_BYTES = 100_000;
const MS = 1000;

export interface Sizing {
  /** Pictures per second of all cameras. */
  readonly picturesPerSecond: number;
  /** Maximum number of pictures in Redis if no consumer removes any, including those of the `latest` keys. */
  readonly pictures: number;
  readonly redisBytes: number;
  /** The length of outage the spool bridges, and which of its bounds ends it; undefined without cameras. */
  readonly spool:
    { readonly seconds: number; readonly bound: 'maxAgeMs' | 'maxFrames' | 'maxBytes' } | undefined;
  /** Maximum numbers. */
  readonly processes: { readonly node: number; readonly ffmpeg: number; readonly servers: number };
  /** Open files of the daemon, which needs more of them than any other process. */
  readonly descriptors: number;
}

export function sizingOf(topology: Topology): Sizing {
  const { cameras, expireMs, modes, http, notify } = topology;
  const picturesPerSecond = cameras.reduce((sum, { periodMs }) => sum + MS / periodMs, 0);
  const pictures = cameras.reduce((sum, { periodMs }) => sum + Math.ceil(expireMs / periodMs), 0);
  const notices = notify.length > 0 && 'forked';
  const forked = [modes.store, modes.notifier, http && 'forked', notices].filter(
    (mode) => mode === 'forked',
  ).length;
  const spool = spoolOf(topology, picturesPerSecond);
  return {
    picturesPerSecond,
    pictures,
    redisBytes: pictures * PICTURE_BYTES,
    spool,
    processes: {
      node: 1 + forked + cameras.length,
      ffmpeg: cameras.reduce((sum, camera) => sum + ffmpegsOf(camera), 0),
      servers: embeddedPrograms(topology),
    },
    descriptors: descriptorsNeeded(topology),
  };
}

function spoolOf({ spool: { maxAgeMs, maxFrames, maxBytes } }: Topology, perSecond: number): Sizing['spool'] {
  if (perSecond === 0) return undefined;
  const bounds = [
    { bound: 'maxAgeMs', seconds: maxAgeMs / MS },
    { bound: 'maxFrames', seconds: maxFrames / perSecond },
    { bound: 'maxBytes', seconds: maxBytes / (perSecond * PICTURE_BYTES) },
  ] as const;
  return bounds.reduce((least, each) => (each.seconds < least.seconds ? each : least));
}

/** One ffmpeg receives; a second decodes, except for test pictures and stored keyframes. */
function ffmpegsOf({ source, format }: Topology['cameras'][number]): number {
  if (needsNoFfmpeg(source)) return 0;
  return source.kind === 'test' || format === 'keyframe' ? 1 : 2;
}
