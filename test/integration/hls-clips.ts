/** Clips that the HLS tests play, and a feed that watches them. */
import assert from 'node:assert/strict';
import { before } from 'node:test';
import { startLiveHls, type LiveHls } from '../../lab/feeds/hls';
import { hlsClip, type HlsClip, type HlsClipOptions } from '../../lab/feeds/hls-clip';
import type { LiveHlsOptions } from '../../lab/feeds/hls-options';
import { waitUntil } from '../../lab/process';
import { watchFeed, type WatchedFeed } from '../../lab/feeds/watch-feed';
import type { CameraSpec } from '../../src/config/topology';

const RECIPES = {
  plain: {},
  'other size': { size: '640x360' },
  h265: { codec: 'libx265' },
  'B-frames': { bFrames: 2, fps: 25 },
  sound: { audio: true, seconds: 6 },
  'sound alone': { audioOnly: true, seconds: 6 },
  'rare keyframes': { keyframeS: 2.5, seconds: 15 },
  'long segments': { segmentS: 3, keyframeS: 3 },
  mp4: { container: 'fmp4' },
  'mp4 h265': { container: 'fmp4', codec: 'libx265' },
} satisfies Record<string, HlsClipOptions>;
type ClipName = keyof typeof RECIPES;

const clips = new Map<ClipName, HlsClip>();

/** Makes these clips before the tests of the file. */
export function makeClips(names: readonly ClipName[]): void {
  before(async () => {
    for (const name of names) clips.set(name, await hlsClip(RECIPES[name]));
  });
}

export function made(name: ClipName): HlsClip {
  const found = clips.get(name);
  assert.ok(found !== undefined, name);
  return found;
}

export type WatchChanges = Partial<CameraSpec> & { path?: string; credentials?: string };

export async function watching(
  options: LiveHlsOptions,
  enough: number,
  check: (feed: WatchedFeed, live: LiveHls) => void | Promise<void>,
  { path = '/live.m3u8', credentials = '', ...changes }: WatchChanges = {},
): Promise<void> {
  const live = await startLiveHls(options);
  const feed = watchFeed(live.url(path).replace('//', `//${credentials}`), changes);
  try {
    await waitUntil(
      `${enough} pictures`,
      () => feed.pictures.length >= enough || feed.faults.length > 0,
      (Math.min(enough, 20) + 15) * 1000,
    );
    await check(feed, live);
  } finally {
    await feed.stop();
    await live.stop();
  }
}

/** Asserts one picture in each second, a second apart and on time. */
export function assertSteady(feed: WatchedFeed): void {
  const { pictures, faults } = feed;
  assert.deepEqual(faults, []);
  const lost = feed.lost.map(({ code }) => code ?? 'undecoded').join(', ');
  assert.ok(
    feed.missed() === 0,
    `${feed.missed()} of ${pictures.length} seconds without a picture; lost: ${lost}`,
  );
  for (const { sample, seenMs } of pictures) {
    const lateMs = seenMs - sample.capturedAt;
    assert.ok(lateMs < 1500 && lateMs > -50, `due at ${sample.capturedAt}, seen at ${seenMs}`);
  }
}
