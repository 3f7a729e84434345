/** HLS playlists: what is read from them, which variant is chosen, and where reading continues. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPlaylist } from '../../../../../src/actors/camera/http/is-playlist';
import type { MediaPlaylist, Variant } from '../../../../../src/actors/camera/hls/playlist';
import { readPlaylist } from '../../../../../src/actors/camera/hls/parse-playlist';
import { nextSegments, positionOf } from '../../../../../src/actors/camera/hls/position';
import { rankVariants } from '../../../../../src/actors/camera/hls/variant-choice';

const BASE = 'http://cam.example/live/list.m3u8?key=1';

function media(text: string): MediaPlaylist {
  const playlist = readPlaylist(`#EXTM3U\n${text}`, BASE);
  assert.ok(playlist.kind === 'media');
  return playlist;
}

describe('isPlaylist', () => {
  const cases: [string, string, boolean][] = [
    ['application/vnd.apple.mpegurl', '#EXTM3U\n#EXT', true],
    ['text/plain', '#EXTM3U\r\n', true],
    ['', '\xef\xbb\xbf#EXTM3U', true],
    ['video/mp2t', '#EXTM3U\n', true],
    ['Application/X-MPEGURL; charset=utf-8', '', true],
    ['audio/mpegurl', '#EXT', true],
    ['application/vnd.apple.mpegurl', '<!doctype html>', false],
    ['application/octet-stream', '', false],
    ['multipart/x-mixed-replace; boundary=a', '--a\r\nCont', false],
    ['image/jpeg', '\xff\xd8\xff\xe0 JFIF  ', false],
  ];
  for (const [type, bytes, expected] of cases)
    it(`returns ${String(expected)} for ${type || 'no type'} with ${JSON.stringify(bytes.slice(0, 10))}`, () =>
      assert.equal(isPlaylist(type, Buffer.from(bytes, 'latin1')), expected));
});

describe('readPlaylist', () => {
  it('reads segments with everything that belongs to them, whatever the line endings', () => {
    const { segments, targetMs, ended } = media(
      [
        ...[
          '#EXT-X-TARGETDURATION:4',
          '#EXT-X-MEDIA-SEQUENCE:7',
          '#EXT-X-MAP:URI="head.mp4",BYTERANGE="10@5"',
        ],
        ...['#EXT-X-KEY:METHOD=AES-128,URI="/key?a=1,b=2",IV=0x1F', '#EXTINF:3.96,a title', 'a.m4s'],
        ...[
          '#EXT-X-DISCONTINUITY',
          '#EXT-X-KEY:METHOD=NONE',
          '#EXT-X-BYTERANGE:100@50',
          '#EXTINF:4',
          '../b.m4s?t=1',
        ],
        ...['#EXT-X-BYTERANGE:20', '#EXT-X-GAP', '#EXTINF:4', '../b.m4s?t=1'],
        ...['#EXT-X-PART:DURATION=0.3,URI="c.0.m4s"', '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="c.1.m4s"'],
      ].join('\r\n'),
    );
    const map = { url: 'http://cam.example/live/head.mp4', range: { offset: 5, length: 10 }, key: undefined };
    const iv = Buffer.from('0000000000000000000000000000001f', 'hex');
    const plain = { discontinuity: false, gap: false, range: undefined, key: undefined, map };
    assert.deepEqual({ targetMs, ended }, { targetMs: 4000, ended: false });
    assert.deepEqual(segments, [
      {
        ...plain,
        ...{ url: 'http://cam.example/live/a.m4s', sequence: 7, durationMs: 3960 },
        key: { method: 'AES-128', url: 'http://cam.example/key?a=1,b=2', iv },
      },
      {
        ...plain,
        ...{ url: 'http://cam.example/b.m4s?t=1', sequence: 8, durationMs: 4000, discontinuity: true },
        range: { offset: 50, length: 100 },
      },
      {
        ...plain,
        ...{ url: 'http://cam.example/b.m4s?t=1', sequence: 9, durationMs: 4000, gap: true },
        range: { offset: 150, length: 20 },
      },
    ]);
  });

  it('distinguishes a recording from a live stream that has ended', () => {
    const closed = '#EXTINF:1\na.ts\n#EXT-X-ENDLIST';
    const cases = [
      '',
      '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:9\n',
      '#EXT-X-PLAYLIST-TYPE:EVENT\n',
      '#EXT-X-MEDIA-SEQUENCE:9\n',
    ];
    assert.deepEqual(
      cases.map((head) => media(head + closed).recording),
      [true, true, false, false],
    );
    assert.equal(media('#EXTINF:1\na.ts').recording, false);
  });

  for (const text of [
    '',
    '<html>',
    '#EXTINF:1\na.ts',
    '#EXTM3U\n#EXTINF:1\nhttp://',
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128',
  ])
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => readPlaylist(text, BASE), { code: 'bad-playlist' }));

  for (const [what, line] of [
    ['commas', `#EXT-X-KEY:${','.repeat(1e6)}`],
    ['blanks', `#EXT-X-MAP:URI="a"${' '.repeat(1e6)},X=`],
    ['open quotes', `#EXT-X-KEY:METHOD=NONE,${'A="'.repeat(3e5)}`],
    ['digits', `#EXTINF:${'1'.repeat(1e6)},`],
    ['segments', '#EXTINF:1,\na\n'.repeat(1e5)],
  ] as const)
    it(`reads a megabyte of ${what} within a second of processor time`, () => {
      const before = process.cpuUsage();
      media(line);
      assert.ok(process.cpuUsage(before).user < 1_000_000);
    });
});

describe('rankVariants', () => {
  const variants: readonly Variant[] = (
    [
      ['sound', 64, undefined, ['mp4a.40.2']],
      ['180', 500, 320, ['avc1.42c015', 'mp4a.40.2']],
      ['360', 2000, 640, []],
      ['360 dear', 2500, 640, ['hvc1.1.6.L93.B0']],
      ['720', 5000, 1280, ['avc1.4d401f']],
      ['720 AV1', 3000, 1280, ['av01.0.05M.08']],
      ['of no size', 900, undefined, []],
    ] as const
  ).map(([url, bandwidth, width, codecs]) => ({
    ...{ url, bandwidth, codecs },
    ...(width === undefined ? {} : { width, height: (width * 9) / 16 }),
  }));
  const first = (width?: number): string | undefined => rankVariants(variants, width)[0]?.url;

  it('takes the cheapest that is wide enough, else the widest; without a width, the largest', () =>
    assert.deepEqual([1, 320, 321, 640, 1280, 1920, undefined].map(first), [
      '180',
      '180',
      '360',
      '360',
      '720',
      '720',
      '720',
    ]));

  it('ranks alternatives after it, and never audio alone', () => {
    const ranked = rankVariants(variants, 640).map(({ url }) => url);
    assert.deepEqual(ranked, ['360', '360 dear', '720', '180', 'of no size', '720 AV1']);
    assert.deepEqual(rankVariants(variants.slice(0, 1)), []);
  });

  it('takes the one of the highest bandwidth if none states its size', () => {
    const nameless = [300, 64, 900].map((bandwidth) => ({ url: String(bandwidth), bandwidth, codecs: [] }));
    assert.deepEqual(
      [undefined, 640].map((width) => rankVariants(nameless, width)[0]?.url),
      ['900', '900'],
    );
  });
});

describe('nextSegments', () => {
  const window = (
    from: number,
    count: number,
    { name = (n: number) => `${n}.ts`, sequence = from, end = '' } = {},
  ) =>
    media(
      [
        ...['#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${sequence}`],
        ...Array.from({ length: count }, (_, i) => `#EXTINF:2,\n${name(from + i)}`),
        end,
      ].join('\n'),
    );
  const read = (playlist: MediaPlaylist, lastOf?: MediaPlaylist, inHandMs = 0) => {
    const last = lastOf?.segments.at(-1);
    const { segments, jumped } = nextSegments(playlist, last && positionOf(last), inHandMs);
    return [segments.map(({ url }) => url.replace(/.*\/|\.ts.*/g, '')).join(' '), jumped];
  };
  const END = '#EXT-X-ENDLIST';

  it('joins a live stream at the live edge, and a recording at its beginning', () => {
    assert.deepEqual(read(window(100, 500)), ['598 599', true]);
    assert.deepEqual(read(window(4, 1)), ['4', true]);
    assert.deepEqual(read(window(0, 4, { end: END })), ['0 1 2 3', true]);
    assert.deepEqual(read(window(9, 4, { end: END })), ['', true]);
  });

  it('continues after what was read', () => {
    assert.deepEqual(read(window(5, 3), window(3, 3)), ['6 7', false]);
    assert.deepEqual(read(window(6, 3), window(3, 3)), ['6 7 8', false]);
    assert.deepEqual(read(window(3, 3), window(3, 3)), ['', false]);
    assert.deepEqual(read(media(''), window(3, 3)), ['', false]);
    assert.deepEqual(read(window(6, 9, { end: END }), window(3, 3)), ['6 7 8 9 10 11 12 13 14', false]);
  });

  it('rejoins if the window has moved past it, and if the stream restarts', () => {
    assert.deepEqual(read(window(7, 3), window(3, 3)), ['8 9', true]);
    assert.deepEqual(read(window(0, 3), window(50, 3)), ['1 2', true]);
  });

  it('skips segments that have become too old', () => {
    assert.deepEqual(read(window(3, 8), window(3, 3), 1000), ['9 10', true]);
    assert.deepEqual(read(window(3, 7), window(3, 3), 500), ['6 7 8 9', false]);
  });

  it('finds its place by address if the playlist has no numbers, and by number if addresses change', () => {
    assert.deepEqual(read(window(4, 3, { sequence: 0 }), window(3, 3, { sequence: 0 })), ['6', false]);
    const tokens = (salt: string) => ({ name: (n: number) => `${salt}/${n}.ts?t=${salt}` });
    assert.deepEqual(read(window(4, 3, tokens('b')), window(3, 3, tokens('a'))), ['6', false]);
    const looped = { name: (n: number) => `${n % 4}.ts` };
    assert.deepEqual(read(window(4, 4, looped), window(3, 3, looped)), ['2 3', false]);
  });
});
