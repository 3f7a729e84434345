/** Live HLS in all its forms. */
import { describe, it } from 'node:test';
import type { HlsClip } from '../../lab/feeds/hls-clip';
import type { LiveHlsOptions } from '../../lab/feeds/hls-options';
import { assertSteady, watching, made, makeClips } from './hls-clips';

makeClips([
  'plain',
  'other size',
  'h265',
  'B-frames',
  'sound',
  'rare keyframes',
  'long segments',
  'mp4',
  'mp4 h265',
]);

/** Reduces a clip to its first segments. */
function cut(segments: number): (clip: HlsClip) => HlsClip {
  return (clip) => ({ ...clip, segments: clip.segments.slice(0, segments) });
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
      'whose times restart without notice',
      () => ({ clips: [cut(4)(made('plain'))], isSilentAboutDiscontinuities: true }),
    ],
    [
      'whose times of MP4 restart without notice',
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
      watching(options(), 14, (feed) => assertSteady(feed), changes));
});
