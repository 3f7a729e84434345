/** Live HLS that goes wrong: what is read all the same, and what is reported. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { startLiveHls, type LiveHls } from '../../lab/feeds/hls';
import type { LiveHlsOptions } from '../../lab/feeds/hls-options';
import { waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/watch-feed';
import { Fault } from '../../src/fault/fault';
import { assertSteady, watching, type WatchChanges, made, makeClips } from './hls-clips';

makeClips(['plain', 'sound alone']);

type Answer = NonNullable<LiveHlsOptions['answer']>;

function codeOf(error: Error | undefined): string | undefined {
  return error instanceof Fault ? error.code : undefined;
}

/** Of `viewer` with `secret`. */
function isLoggedIn(scheme: 'basic' | 'digest', header: string, uri: string): boolean {
  if (scheme === 'basic') return header === `Basic ${Buffer.from('viewer:secret').toString('base64')}`;
  const of = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const expected = md5(
    `${md5('viewer:cam:secret')}:n1:${of('nc')}:${of('cnonce')}:auth:${md5(`GET:${uri}`)}`,
  );
  return header.startsWith('Digest ') && of('response') === expected;
}

describe('live HLS that goes wrong', { concurrency: 4 }, () => {
  const clips = () => [made('plain')];
  const count = (live: LiveHls, pattern: RegExp): number =>
    live.requests.filter((path) => pattern.test(path)).length;
  const refuse = (response: ServerResponse, status: number): true => {
    response.writeHead(status, { 'content-length': 0 }).end();
    return true;
  };
  const redirect = (response: ServerResponse, location: string): true => {
    response.writeHead(302, { location, 'content-length': 0 }).end();
    return true;
  };
  const unwelcome: Answer = (_path, _request, response) => {
    response.setHeader('www-authenticate', 'Basic realm="cam"');
    return refuse(response, 401);
  };
  /** The fault it ends with, and that no sentence names what is secret. */
  const failing = (
    title: string,
    code: string,
    words: RegExp,
    options: () => LiveHlsOptions,
    changes: WatchChanges = {},
  ): void => {
    it(`${title} ends with ${code}`, () =>
      watching(
        options(),
        Infinity,
        ({ faults }) => {
          assert.equal(codeOf(faults[0]), code, String(faults[0]));
          assert.match(String(faults[0]), words);
          assert.doesNotMatch(String(faults[0]), /secret|token=/);
        },
        changes,
      ));
  };

  it('is read on when its playlist answers 404 once, and once not at all', async () => {
    let asked = 0;
    const answer: Answer = (path, _, response) => {
      if (!path.endsWith('.m3u8')) return undefined;
      asked++;
      if (asked === 8) response.destroy();
      return asked === 5 ? refuse(response, 404) : asked === 8 ? true : undefined;
    };
    await watching({ clips: clips(), window: 5, answer }, 14, (feed) => assertSteady(feed));
  });

  it('is read on when its server fails for a while, without being opened anew', async () => {
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

  it('loses no more than a segment that vanishes, or is cut', async () => {
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

  it('goes on at the live edge when the window has slid past', async () => {
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
      await feed.end();
      await live.stop();
    }
  });

  it('that nothing is added to is said to be so, and after stallMs', async () => {
    const live = await startLiveHls({ clips: clips() });
    const feed = watchFeed(live.url(), { stallMs: 2000 });
    try {
      await waitUntil('pictures', () => feed.pictures.length > 3, 20_000);
      live.freeze();
      await waitUntil('its end', () => feed.faults.length > 0, 15_000);
      assert.match(String(feed.faults[0]), /lists no new segments in its playlist/);
    } finally {
      await feed.end();
      await live.stop();
    }
  });

  it('gives its last pictures when it is closed, and is not played again', async () => {
    const live = await startLiveHls({ clips: clips() });
    const feed = watchFeed(live.url(), {}, true);
    try {
      await waitUntil('pictures', () => feed.pictures.length > 3, 20_000);
      live.end();
      await waitUntil('its end', () => feed.faults.length > 1, 15_000);
      const shown = feed.pictures.length;
      await waitUntil('more openings', () => feed.faults.length > 4, 15_000);
      assert.deepEqual([...new Set(feed.faults.map(codeOf))], ['ended']);
      assert.equal(feed.pictures.length, shown);
    } finally {
      await feed.end();
      await live.stop();
    }
  });

  it('is played at its own pace, again and again, when it is a recording', async () => {
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
      await feed.end();
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
    it(`reads the variant "${chosen}" ${width === undefined ? 'without a width' : `for a width of ${width}`}, and no other`, () =>
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

  it('reads the next best variant where the best is refused', () =>
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

  it('is read behind redirects', () =>
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

  const always =
    (status: number): Answer =>
    (_path, _request, response) =>
      refuse(response, status);
  failing('a playlist that is not there', 'not-found', /404/, () => ({
    clips: clips(),
    answer: always(404),
  }));
  failing(
    'a playlist that is refused',
    'unauthorized',
    /user name or password/,
    () => ({ clips: clips(), answer: unwelcome }),
    { path: '/live.m3u8', credentials: 'viewer:secret@' },
  );
  failing('a page', 'not-a-stream', /not with video/, () => ({
    clips: clips(),
    answer: (_path, _request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Please log in.</p>');
      return true;
    },
  }));
  failing('sound alone', 'video-late', /no video was in what it sent/, () => ({
    clips: [made('sound alone')],
  }));
  failing('a list of sound alone', 'no-video', /sound only/, () => ({
    clips: clips(),
    answer: (_path, _request, response) => {
      response
        .writeHead(200, {})
        .end('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\nsound.m3u8\n');
      return true;
    },
  }));
  failing(
    'encryption that cannot be read',
    'encrypted',
    /AES-128/,
    () => ({ clips: clips(), tags: () => ['#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key0"'] }),
    { connectMs: 3000 },
  );
  failing(
    'a key that is none',
    'bad-key',
    /keys that do not fit/,
    () => ({
      clips: clips(),
      keys: 'each-its-own',
      answer: (path, _, response) => {
        if (!path.startsWith('/key')) return undefined;
        response.end('short');
        return true;
      },
    }),
    { connectMs: 4000 },
  );
  failing(
    'segments that are not there',
    'not-found',
    /not the segments it lists/,
    () => ({
      clips: clips(),
      answer: (path, _, response) => (path.startsWith('/n') ? refuse(response, 404) : undefined),
    }),
    { connectMs: 3000 },
  );
  failing('a redirect to itself', 'redirect', /redirects more than 5 times/, () => ({
    clips: clips(),
    answer: (path, _, response) => redirect(response, path),
  }));
  failing('a redirect to an address of its own choice', 'redirect', /another host/, () => ({
    clips: clips(),
    answer: (_path, _request, response) => redirect(response, 'http://127.0.0.2:1/latest'),
  }));
  failing('a redirect to a file', 'redirect', /another scheme/, () => ({
    clips: clips(),
    answer: (_path, _request, response) => redirect(response, 'file:///etc/passwd'),
  }));
  failing('a playlist without an end', 'too-large', /more than/, () => ({
    clips: clips(),
    answer: (_path, _request, response) => {
      response.write('#EXTM3U\n');
      const more = Buffer.alloc(1 << 20, '#\n');
      const send = () => {
        while (!response.destroyed && response.write(more));
      };
      response.on('drain', send);
      send();
      return true;
    },
  }));

  for (const [what, to] of [
    ['an address of their own choice', 'http://127.0.0.2:1/latest'],
    ['a file', 'file:///etc/passwd'],
  ] as const)
    failing(
      `segments that redirect to ${what}`,
      'forbidden-host',
      /does not name/,
      () => ({
        clips: clips(),
        answer: (path, _, response) => (path.startsWith('/n') ? redirect(response, to) : undefined),
      }),
      { connectMs: 3000 },
    );

  it('that never answers is given up after connectMs', async () => {
    const startedMs = performance.now();
    await watching(
      { clips: clips(), answer: () => true },
      Infinity,
      ({ faults }) => {
        assert.equal(codeOf(faults[0]), 'silent');
        const tookMs = performance.now() - startedMs;
        assert.ok(tookMs > 1400 && tookMs < 4000, String(tookMs));
      },
      { connectMs: 1500 },
    );
  });

  it('that takes 7 s to answer is read', () => {
    let first = true;
    return watching(
      {
        clips: clips(),
        answer: (path, _request, response) => {
          if (!first) return undefined;
          first = false;
          setTimeout(() => redirect(response, path), 7000);
          return true;
        },
      },
      3,
      (feed) => assertSteady(feed),
    );
  });
});
