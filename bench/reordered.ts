/**
 * The age of a picture when a consumer has its message, for streams that send pictures in another order than
 * they are shown (B-frames), by codec, distance of keyframes and sampling. One stream after another, three
 * cameras each.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { matrixClip } from '../lab/matrix/clip';
import { PLAIN, reorderFrames, type Recipe } from '../lab/matrix/recipe';
import type { Daemon } from '../lab/daemon';
import type { Listener } from '../lab/events';
import { startGstTracks, type GstMount, type GstTracks } from '../lab/feeds/gst-tracks';
import { waitUntil } from '../lab/process';
import { PictureWays } from './picture-ways';

/** Milliseconds, p95, in addition to the duration of the frames that the decoder needs for reordering. */
const GOAL_MS = 150;
const SAMPLINGS = ['auto', 'keyframes', 'all'] as const;
/** From the first pictures on, until decoders run and keyframe intervals are known. */
const SETTLE_MS = 4000;

const FULL_HD = { ...PLAIN, width: 1920, height: 1080, matrix: 'bt709', seconds: 10 } as const;
const LONG = { gopS: 10, seconds: 20 } as const;
const H264 = { ...FULL_HD, bFrames: 2 } as const;
const H265 = { ...FULL_HD, codec: 'h265', bFrames: 'default', openGop: true } as const;
const STREAMS: Readonly<Record<string, Recipe>> = {
  'h264-2b-1s': H264,
  'h264-2b-2s': { ...H264, gopS: 2 },
  'h264-2b-10s': { ...H264, ...LONG },
  'h264-4b-pyramid-1s': { ...H264, bFrames: 4, pyramid: 'normal' },
  'h265-1s': H265,
  'h265-2s': { ...H265, gopS: 2 },
};
export const REORDERED_STREAMS = Object.keys(STREAMS);

export interface ReorderedRow {
  readonly name: string;
  /** From the last packet of each picture to its message. */
  readonly milliseconds: readonly number[];
  readonly goalMs: number;
}

export interface ReorderedCameras {
  readonly pictures: PictureWays;
  /** The cameras in actors.json for a stream. */
  readonly cameras: (
    stream: string,
  ) => readonly { readonly id: string; readonly url: string; readonly sampling: string }[];
  readonly stop: () => Promise<void>;
}

/** Starts the server; its clips are encoded before. */
export async function reorderedCameras(streams: readonly string[]): Promise<ReorderedCameras> {
  const pictures = new PictureWays();
  const mounts: Record<string, GstMount> = {};
  for (const stream of streams) {
    const recipe = recipeOf(stream);
    const { units } = await matrixClip(recipe);
    const { codec, fps } = recipe;
    if (codec === 'mpeg4') throw new Error('no server for MPEG-4');
    for (const sampling of SAMPLINGS) {
      const sent = `/${idOf(stream, sampling)}`;
      const onSent = (picture: number, atMs: number) => pictures.sent({ sent, picture, atMs });
      mounts[sent] = { codec, units, fps, onSent };
    }
  }
  const server: GstTracks = await startGstTracks(mounts);
  return {
    pictures,
    cameras: (stream) =>
      SAMPLINGS.map((sampling) => {
        const id = idOf(stream, sampling);
        return { id, url: server.url(`/${id}`), sampling };
      }),
    stop: server.stop,
  };
}

/** Runs the cameras of one stream after another in the daemon, and measures each. */
export async function measureReordered(
  streams: readonly string[],
  { pictures, cameras }: ReorderedCameras,
  {
    daemon,
    events,
    seconds,
    config,
  }: {
    readonly daemon: Daemon;
    readonly events: Listener;
    readonly seconds: number;
    readonly config: (cameras: readonly object[]) => unknown;
  },
): Promise<ReorderedRow[]> {
  const rows: ReorderedRow[] = [];
  for (const stream of streams) {
    const ids = cameras(stream).map(({ id }) => id);
    daemon.edit(config(cameras(stream)));
    await waitUntil(`${stream} delivers`, () => ids.every((id) => events.frames(id).length > 0), 60_000);
    await wait(SETTLE_MS);
    pictures.watchSpool(daemon.dataDir, ids);
    const from = Date.now();
    await wait(1000 * seconds);
    const ways = await pictures.of(events, from);
    for (const [i, sampling] of SAMPLINGS.entries())
      rows.push({
        name: `${stream} ${sampling}: last packet to message`,
        milliseconds: ways
          .filter(({ camera }) => camera === ids[i])
          .map((way) => way.receivedAt - way.sentAt),
        goalMs: goalOf(recipeOf(stream)),
      });
  }
  daemon.edit(config([]));
  return rows;
}

/** The maximum that B-frames need: the frames a decoder holds, in sequence. */
function goalOf(recipe: Recipe): number {
  return GOAL_MS + (reorderFrames(recipe) * 1000) / recipe.fps;
}

function recipeOf(stream: string): Recipe {
  const recipe = STREAMS[stream];
  if (recipe === undefined)
    throw new Error(`there is no stream "${stream}"; streams: ${REORDERED_STREAMS.join(', ')}`);
  return recipe;
}

function idOf(stream: string, sampling: string): string {
  return `${stream}-${sampling}`;
}
