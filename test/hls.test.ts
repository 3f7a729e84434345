/** HLS as it is sent: what a camera makes of it, second by second. Real segments, real ffmpeg; a server that does what servers do. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { hlsClip, startLiveHls, type HlsClip, type LiveHls, type LiveHlsOptions } from './support/feeds/hls';
import { waitUntil } from './support/process';
import { watchFeed, type WatchedFeed } from './support/watch-feed';
import type { CameraSpec } from '../src/config/topology';

const clips: Partial<Record<string, HlsClip>> = {};

function made(name: string): HlsClip {
  const found = clips[name];
  assert.ok(found !== undefined, name);
  return found;
}

before(async () => {
  clips['plain'] = await hlsClip();
  clips['other size'] = await hlsClip({ size: '640x360' });
  clips['h265'] = await hlsClip({ codec: 'libx265' });
  clips['B-frames'] = await hlsClip({ bFrames: 2, fps: 25 });
  clips['sound'] = await hlsClip({ audio: true, seconds: 6 });
  clips['sound alone'] = await hlsClip({ audioOnly: true, seconds: 6 });
  clips['rare keyframes'] = await hlsClip({ keyframeS: 2.5, seconds: 15 });
  clips['long segments'] = await hlsClip({ segmentS: 3, keyframeS: 3 });
  clips['mp4'] = await hlsClip({ container: 'fmp4' });
  clips['mp4 h265'] = await hlsClip({ container: 'fmp4', codec: 'libx265' });
});

async function watching(
  options: LiveHlsOptions,
  enough: number,
  check: (feed: WatchedFeed, live: LiveHls) => void | Promise<void>,
  { path = '/live.m3u8', ...changes }: Partial<CameraSpec> & { path?: string } = {},
): Promise<void> {
  const live = await startLiveHls(options);
  const feed = watchFeed(live.url(path), changes);
  try {
    await waitUntil(
      `${String(enough)} pictures`,
      () => feed.pictures.length >= enough || feed.faults.length > 0,
      (enough + 15) * 1000,
    );
    await check(feed, live);
  } finally {
    await feed.end();
    await live.stop();
  }
}

/** A picture in each second, a second apart, when it was due. */
function assertSteady(feed: WatchedFeed): void {
  const { pictures, faults } = feed;
  assert.deepEqual(faults, []);
  assert.ok(
    feed.missed() === 0,
    `${String(feed.missed())} of ${String(pictures.length)} seconds without a picture`,
  );
  for (const { at, seenMs } of pictures)
    assert.ok(seenMs - at < 1500 && at - seenMs < 50, `due at ${String(at)}, seen at ${String(seenMs)}`);
}

describe('live HLS', { concurrency: 4 }, () => {
  const plain = () => [made('plain')];
  const cases: [string, () => LiveHlsOptions, Parameters<typeof watching>[3]?][] = [
    ['of segments of a second', () => ({ clips: plain() })],
    ['of segments of three seconds', () => ({ clips: [made('long segments')] })],
    ['with an address that does not end in .m3u8', () => ({ clips: plain() }), { path: '/play?ch=1' }],
    ['called text/plain', () => ({ clips: plain(), contentType: 'text/plain' }), { path: '/play' }],
    [
      'with sizes that change at discontinuities',
      () => ({ clips: [made('plain'), made('other size')].map(cut(3)) }),
    ],
    [
      'with codecs that change at discontinuities',
      () => ({ clips: [made('plain'), made('h265')].map(cut(3)) }),
    ],
    [
      'with other beginnings of MP4 at discontinuities',
      () => ({ clips: [made('mp4'), made('mp4 h265')].map(cut(3)) }),
    ],
    ['with a discontinuity at each segment', () => ({ clips: [cut(1)(made('plain'))] })],
    [
      'whose times begin anew without a word',
      () => ({ clips: [cut(4)(made('plain'))], isSilentAboutDiscontinuities: true }),
    ],
    [
      'whose times of MP4 begin anew without a word',
      () => ({ clips: [cut(4)(made('mp4'))], isSilentAboutDiscontinuities: true }),
    ],
    ['of H.265', () => ({ clips: [made('h265')] })],
    ['with B-frames', () => ({ clips: [made('B-frames')] })],
    ['with sound', () => ({ clips: [made('sound')] })],
    ['whose segments begin anywhere', () => ({ clips: [made('rare keyframes')] })],
    ['of fragmented MP4', () => ({ clips: [made('mp4')] })],
    ['of fragmented MP4 with H.265', () => ({ clips: [made('mp4 h265')] })],
    ['with keys that rotate', () => ({ clips: plain(), keys: 'each-its-own', hasVector: true })],
    ['with keys and no vector', () => ({ clips: plain(), keys: 'each-its-own' })],
    ['with byte ranges', () => ({ clips: plain(), hasByteRanges: true })],
    ['with tokens that change', () => ({ clips: plain(), hasTokens: true })],
    ['whose playlist does not count', () => ({ clips: plain(), doesNotCount: true })],
    ['of low latency', () => ({ clips: [made('mp4')], isLowLatency: true })],
    [
      'with dates',
      () => ({
        clips: plain(),
        tags: (n: number) => [`#EXT-X-PROGRAM-DATE-TIME:${new Date(n * 1000).toISOString()}`],
      }),
    ],
    ['with a long window', () => ({ clips: plain(), window: 500, existing: 400 })],
    ['with keyframes kept as they come', () => ({ clips: plain() }), { format: 'keyframe' }],
    [
      'with keyframes kept as they come, of changing sizes',
      () => ({ clips: [made('plain'), made('other size')].map(cut(3)) }),
      { format: 'keyframe' },
    ],
  ];
  for (const [title, options, changes] of cases)
    it(`${title} gives a picture a second`, () =>
      watching(
        options(),
        14,
        (feed) => {
          assertSteady(feed);
        },
        changes,
      ));
});

/** Its first segments alone. */
function cut(segments: number): (clip: HlsClip) => HlsClip {
  return (clip) => ({ ...clip, segments: clip.segments.slice(0, segments) });
}
