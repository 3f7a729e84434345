/** Live HLS that fails or redirects, and is read nevertheless. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { startLiveHls, type LiveHls } from '../../lab/feeds/hls';
import { waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/feeds/watch-feed';
import { assertSteady, watching, made, makeClips } from './hls-clips';
import { redirect, refuse, type Answer } from './hls-answers';

makeClips(['plain']);

/** Whether the header holds the credentials of `viewer` with the password `secret`. */
function isLoggedIn(scheme: 'basic' | 'digest', header: string, uri: string): boolean {
  if (scheme === 'basic') return header === `Basic ${Buffer.from('viewer:secret').toString('base64')}`;
  const of = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const expected = md5(
    `${md5('viewer:cam:secret')}:n1:${of('nc')}:${of('cnonce')}:auth:${md5(`GET:${uri}`)}`,
  );
  return header.startsWith('Digest ') && of('response') === expected;
}

describe('live HLS with faults', { concurrency: 4 }, () => {
  const clips = () => [made('plain')];
  const count = (live: LiveHls, pattern: RegExp): number =>
    live.requests.filter((path) => pattern.test(path)).length;
  it('continues if its playlist answers 404 once, and once not at all', async () => {
    let asked = 0;
    const answer: Answer = (path, _, response) => {
      if (!path.endsWith('.m3u8')) return undefined;
      asked++;
      if (asked === 8) response.destroy();
      return asked === 5 ? refuse(response, 404) : asked === 8 ? true : undefined;
    };
    await watching({ clips: clips(), window: 5, answer }, 14, (feed) => assertSteady(feed));
  });

  it('is still read after its server fails for a while, without being reopened', async () => {
    let failing = 0;
    const answer: Answer = (path, _, response) => {
      if (!path.endsWith('.m3u8')) return undefined;
      failing++;
      return failing >= 5 && failing < 9 ? refuse(response, 503) : undefined;
    };
    await watching({ clips: clips(), window: 8, answer }, 14, (feed, live) => {
      assert.deepEqual(feed.faults, []);
      assert.ok(feed.missed() <= 3, String(feed.missed()));
      assert.ok(count(live, /m3u8/) > 9);
    });
  });

  it('loses only a segment that vanishes or is cut', async () => {
    const answer: Answer = (path, _, response) => {
      if (path === '/n9') return refuse(response, 404);
      if (path !== '/n12') return undefined;
      response.writeHead(200, { 'content-length': 100_000 }).write(Buffer.alloc(1000));
      setTimeout(() => response.destroy(), 50);
      return true;
    };
    await watching({ clips: clips(), answer }, 15, (feed, { requests }) => {
      assert.ok(requests.includes('/n9') && requests.includes('/n12'), 'both were asked for');
      assert.deepEqual(feed.faults, []);
      assert.ok(feed.missed() <= 3, String(feed.missed()));
      assert.deepEqual(
        feed.pictures.filter(({ evidence }) => evidence.damage !== undefined),
        [],
      );
    });
  });

  it('continues at the live edge when the window has slid past', async () => {
    let hangs = false;
    const live = await startLiveHls({
      clips: clips(),
      answer: (path) => (hangs && path.endsWith('.m3u8') ? true : undefined),
    });
    const feed = watchFeed(live.url(), { stallMs: 20_000 });
    try {
      await waitUntil('pictures', () => feed.pictures.length > 2, 20_000);
      hangs = true;
      const before = live.made();
      await waitUntil('the window slides away', () => live.made() > before + 9, 20_000);
      hangs = false;
      const shown = feed.pictures.length;
      await waitUntil('it goes on', () => feed.pictures.length > shown + 3, 30_000);
      assert.deepEqual(feed.faults, []);
      const numbers = live.requests.flatMap((path) => /^\/n(\d+)/.exec(path)?.[1] ?? []).map(Number);
      const [jumpedTo = 0] = numbers.filter((n) => n > before + 1);
      assert.ok(jumpedTo >= before + 8, `${jumpedTo} behind ${before}`);
      assert.deepEqual(numbers, [...new Set(numbers)]);
    } finally {
      await feed.stop();
      await live.stop();
    }
  });

  it('is played repeatedly at its own pace if it is a recording', async () => {
    const live = await startLiveHls({ clips: clips(), window: 500, existing: 5 });
    live.end();
    const startedMs = performance.now();
    const feed = watchFeed(live.url());
    try {
      await waitUntil('pictures', () => feed.pictures.length >= 14, 30_000);
      assertSteady(feed);
      const seconds = (performance.now() - startedMs) / 1000;
      assert.ok(count(live, /^\/n/) < seconds + 5, `${count(live, /^\/n/)} segments in ${seconds} s`);
    } finally {
      await feed.stop();
      await live.stop();
    }
  });

  const master = [
    '#EXTM3U',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="sound",URI="/sound/live.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\n/sound/live.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=160x90,AUDIO="a"\nsmall/live.m3u8?token=1',
    '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,AUDIO="a",CODECS="avc1.42c00d,mp4a.40.2"\nmiddle/live.m3u8?token=1',
    '#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1280x720,AUDIO="a"\nlarge/live.m3u8?token=1',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000,URI="/still/live.m3u8"',
  ].join('\n');
  const offered: Answer = (path, _, response) => {
    if (path !== '/all') return undefined;
    response.writeHead(200, { 'content-type': 'text/plain' }).end(master);
    return true;
  };
  for (const [width, chosen] of [
    [undefined, 'large'],
    [320, 'middle'],
    [161, 'middle'],
    [100, 'small'],
    [3840, 'large'],
  ] as const)
    it(`uses the variant "${chosen}" ${width === undefined ? 'without a width' : `for a width of ${width}`}, and no other`, () =>
      watching(
        { clips: clips(), answer: offered },
        4,
        (feed, live) => {
          assertSteady(feed);
          const folders = new Set(live.requests.slice(2).map((path) => path.split('/')[1]));
          assert.deepEqual([...folders], [chosen]);
        },
        { path: '/all', ...(width === undefined ? {} : { width }) },
      ));

  it('uses the next best variant if the best is refused', () =>
    watching(
      {
        clips: clips(),
        answer: (path, request, response) =>
          path.startsWith('/large/') ? refuse(response, 404) : offered(path, request, response),
      },
      4,
      (feed, live) => {
        assertSteady(feed);
        assert.ok(count(live, /^\/middle\/n/) > 3);
      },
      { path: '/all' },
    ));

  it('is read through redirects', () =>
    watching(
      {
        clips: clips(),
        answer: (path, _, response) =>
          path === '/moved.m3u8'
            ? redirect(response, '/else/where/live.m3u8?session=7')
            : path.startsWith('/else/where/n')
              ? redirect(response, path.replace('/else/where', ''))
              : undefined,
      },
      8,
      (feed, live) => {
        assertSteady(feed);
        assert.equal(count(live, /^\/moved/), 2);
      },
      { path: '/moved.m3u8' },
    ));

  for (const scheme of ['basic', 'digest'] as const)
    it(`is read with a password (${scheme}), which no other server gets`, async () => {
      const elsewhere: string[] = [];
      const other = await startLiveHls({
        clips: clips(),
        answer: (_, { headers }, response) => {
          elsewhere.push(headers.authorization ?? '');
          return refuse(response, 404);
        },
      });
      let refused = 0;
      await watching(
        {
          clips: clips(),
          tags: (n) => (n % 3 === 0 ? ['#EXTINF:1', other.url('/n0')] : []),
          answer: (_path, { headers, url = '' }, response) => {
            if (isLoggedIn(scheme, headers.authorization ?? '', url)) return undefined;
            refused++;
            response.setHeader(
              'www-authenticate',
              scheme === 'basic' ? 'Basic realm="cam"' : 'Digest realm="cam", nonce="n1", qop="auth"',
            );
            return refuse(response, 401);
          },
        },
        5,
        (feed) => {
          assert.deepEqual(feed.faults, []);
          assert.ok(
            refused <= 2 && elsewhere.length > 0,
            `${refused} refused, ${elsewhere.length} elsewhere`,
          );
          assert.deepEqual([...new Set(elsewhere)], ['']);
        },
        { path: '/live.m3u8', credentials: 'viewer:secret@' },
      );
      await other.stop();
    });
});
