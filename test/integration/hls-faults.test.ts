/** The faults reported for live HLS that gives no pictures. */
import assert from 'node:assert/strict';
import { startLiveHls } from '../../lab/feeds/hls';
import { waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/feeds/watch-feed';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import type { LiveHlsOptions } from '../../lab/feeds/hls-options';
import { assertSteady, watching, type WatchChanges, made, makeClips } from './hls-clips';
import { codeOf, redirect, refuse, type Answer } from './hls-answers';

makeClips(['plain', 'sound alone']);

describe('faults of live HLS', { concurrency: 4 }, () => {
  const clips = () => [made('plain')];
  const unwelcome: Answer = (_path, _request, response) => {
    response.setHeader('www-authenticate', 'Basic realm="cam"');
    return refuse(response, 401);
  };
  /** Tests that a feed ends with this fault, and that no sentence reveals a secret. */
  const failing = (
    title: string,
    code: string,
    pattern: RegExp,
    options: () => LiveHlsOptions,
    changes: WatchChanges = {},
  ): void => {
    it(`${title} ends with ${code}`, () =>
      watching(
        options(),
        Infinity,
        ({ faults }) => {
          assert.equal(codeOf(faults[0]), code, String(faults[0]));
          assert.match(String(faults[0]), pattern);
          assert.doesNotMatch(String(faults[0]), /secret|token=/);
        },
        changes,
      ));
  };

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

  it('that stops growing is reported as such, after stallMs', async () => {
    const live = await startLiveHls({ clips: clips() });
    const feed = watchFeed(live.url(), { stallMs: 2000 });
    try {
      await waitUntil('pictures', () => feed.pictures.length > 3, 20_000);
      live.freeze();
      await waitUntil('its end', () => feed.faults.length > 0, 15_000);
      assert.match(String(feed.faults[0]), /lists no new segments in its playlist/);
    } finally {
      await feed.stop();
      await live.stop();
    }
  });

  it('that ends gives its last pictures and is not played again', async () => {
    const live = await startLiveHls({ clips: clips() });
    const feed = watchFeed(live.url(), {}, { reopens: true });
    try {
      await waitUntil('pictures', () => feed.pictures.length > 3, 20_000);
      live.end();
      await waitUntil('its end', () => feed.faults.length > 1, 15_000);
      const shown = feed.pictures.length;
      await waitUntil('more openings', () => feed.faults.length > 4, 15_000);
      assert.deepEqual([...new Set(feed.faults.map(codeOf))], ['ended']);
      assert.equal(feed.pictures.length, shown);
    } finally {
      await feed.stop();
      await live.stop();
    }
  });

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

  it('that takes 7 s to answer is still read', () => {
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
