/** Still pictures over HTTP, from real servers that behave as cameras do, and as they should not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer as createRawServer, type AddressInfo } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { RetryLater } from '../../src/actors/camera/http/http-fault';
import type { CameraSpec } from '../../src/config/topology';
import { clip, splitJpegs } from '../../lab/feeds/clips';
import { startHttpCamera, type HttpCamera, type Script } from '../../lab/feeds/http-camera';
import { watchFeed, type WatchedFeed } from '../../lab/feeds/watch-feed';

const USER = { username: 'admin', password: 'p:@ß/?' };
const USER_INFO = `${USER.username}:${encodeURIComponent(USER.password)}`;

describe('a camera of still pictures', () => {
  let pictures: readonly Buffer[] = [];
  before(async () => {
    pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', seconds: 2 })));
  });

  const picture = (number: number) => pictures[number % pictures.length] ?? Buffer.alloc(0);
  const send = (response: ServerResponse, bytes: Buffer, headers: Record<string, string> = {}) => {
    response
      .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': String(bytes.length), ...headers })
      .end(bytes);
  };
  const sound: Script = (_, response, number) => send(response, picture(number));

  async function camera(t: TestContext, script: Script): Promise<HttpCamera> {
    const started = await startHttpCamera(script);
    t.after(() => started.stop());
    return started;
  }

  function watch(
    t: TestContext,
    url: string,
    changes: Partial<CameraSpec> = {},
    anyHost = false,
  ): WatchedFeed {
    const feed = watchFeed({ kind: 'still', url, ...(anyHost ? { anyHost } : {}) }, changes);
    t.after(() => feed.stop());
    return feed;
  }

  async function faultOf(t: TestContext, script: Script, changes: Partial<CameraSpec> = {}) {
    const http = await camera(t, script);
    const feed = watch(t, http.url('/secret-path?password=hush', USER_INFO), changes);
    const fault = await feed.fault();
    assert.deepEqual(feed.pictures, []);
    assert.match(fault.message, /^http:\/\/127\.0\.0\.1:\d+\/secret-path\?… /);
    assert.doesNotMatch(fault.message, /hush|admin|ß|%C3|\n/);
    return fault;
  }

  it('is asked once a period over one connection, and its bytes are stored as they came', async (t) => {
    const http = await camera(t, sound);
    const feed = watch(t, http.url('/snap.jpg'), { periodMs: 250 });
    await feed.until('ten pictures', () => feed.pictures.length >= 10);
    await feed.stop();
    assert.equal(http.connections(), 1);
    assert.equal(http.overlap(), 1);
    for (const [i, { bytes, format, width, height, verdict }] of feed.pictures.entries()) {
      assert.ok(bytes.equals(picture(i)));
      assert.deepEqual([format, width, height, verdict.kind], ['jpeg', 640, 360, 'healthy']);
    }
    const sequences = feed.pictures.map(({ sample }) => sample.sequence);
    assert.deepEqual(
      sequences,
      sequences.map((_, i) => (sequences[0] ?? 0) + i),
    );
    const steps = http.requests.slice(2).map(({ at }, i) => at - (http.requests[i + 1]?.at ?? 0));
    for (const step of steps) assert.ok(step > 125 && step < 375, String(steps));
    assert.deepEqual(feed.streams, [{ codec: 'jpeg', decoded: false, still: true }]);
  });

  it('has the middle of the request for its capture time', async (t) => {
    const http = await camera(t, (request, response, number) => {
      response.sendDate = false;
      setTimeout(() => sound(request, response, number), 120);
    });
    const feed = watch(t, http.url('/'));
    await feed.until('pictures', () => feed.pictures.length >= 4);
    for (const { sample } of feed.pictures) {
      const asked = http.requests.findLast(({ at }) => at <= sample.capturedAt)?.at ?? 0;
      assert.ok(Math.abs(sample.capturedAt - asked - 60) < 55, String(sample.capturedAt - asked));
      assert.equal(sample.clock, 'arrival');
    }
  });

  describe('among others', { concurrency: true }, () => {
    it('is dated by its own clock where that is sane, and by ours where it is not', async (t) => {
      const by = (offsetMs: number) => async (): Promise<WatchedFeed> => {
        const http = await camera(t, (_, response, number) => {
          response.sendDate = false;
          send(response, picture(number), { date: new Date(Date.now() + offsetMs).toUTCString() });
        });
        const feed = watch(t, http.url('/'));
        await feed.until('a verdict', () => feed.clock.state !== 'unknown' && feed.pictures.length >= 6);
        await feed.stop();
        return feed;
      };
      const [right, behind, wrong] = await Promise.all([by(0)(), by(-1500)(), by(-3_600_000)()]);
      assert.equal(right.clock.state, 'sane');
      assert.ok(Math.abs(right.clock.skewMs ?? NaN) < 100, String(right.clock.skewMs));
      assert.equal(behind.clock.state, 'sane');
      assert.ok(
        (behind.clock.skewMs ?? 0) < -450 && (behind.clock.skewMs ?? 0) > -1600,
        String(behind.clock.skewMs),
      );
      assert.equal(wrong.clock.state, 'insane');
      for (const { sample, at } of wrong.pictures) assert.ok(Math.abs(sample.capturedAt - at) < 1000);
    });

    describe('with a login', { concurrency: true }, () => {
      const md5 = (...parts: string[]) => createHash('md5').update(parts.join(':')).digest('hex');
      const sha256 = (...parts: string[]) => createHash('sha256').update(parts.join(':')).digest('hex');

      /** A server that checks digests strictly: each count of a nonce once, in their order. */
      function guard(challenges: (nonce: string) => string[], maxUses = Infinity): Script {
        let [nonce, count, issued] = ['', 0, 0];
        return (request, response, number) => {
          const given = request.headers.authorization ?? '';
          const field = (name: string) => new RegExp(`[ ,]${name}="?([^",]+)"?`).exec(given)?.[1] ?? '';
          const hash = field('algorithm') === 'SHA-256' ? sha256 : md5;
          const counted = field('nc');
          const key = hash(USER.username, 'cam', USER.password);
          const middle = counted === '' ? [] : [counted, field('cnonce'), field('qop')];
          const expected = hash(key, nonce, ...middle, hash('GET', request.url ?? ''));
          const isRight =
            given.startsWith('Digest') && field('nonce') === nonce && field('response') === expected;
          const isInOrder = counted === '' || parseInt(counted, 16) === count + 1;
          if (isRight && isInOrder && count < maxUses) {
            count++;
            sound(request, response, number);
            return;
          }
          nonce = `nonce${++issued}`;
          count = 0;
          const stale = isRight ? ', stale=true' : '';
          response.writeHead(401, {
            'www-authenticate': challenges(nonce).map(
              (each) => each + (each.startsWith('Digest') ? stale : ''),
            ),
          });
          response.end('no\n');
        };
      }
      const digest =
        (algorithm: string, qop = ', qop="auth"') =>
        (nonce: string) =>
          `Digest realm="cam", nonce="${nonce}"${qop}${algorithm === '' ? '' : `, algorithm=${algorithm}`}`;
      const both = (nonce: string) => [digest('MD5')(nonce), digest('SHA-256')(nonce)];

      const rows: readonly [string, Script][] = [
        ['by digest with MD5', guard((nonce) => [digest('MD5')(nonce)])],
        ['by digest with SHA-256 alone', guard((nonce) => [digest('SHA-256')(nonce)])],
        ['by digest with both in several headers', guard(both)],
        ['by digest with both in one header', guard((nonce) => [both(nonce).join(', ')])],
        ['by digest without qop', guard((nonce) => [digest('', '')(nonce)])],
        [
          'by digest where Basic is offered first',
          guard((nonce) => ['Basic realm="cam"', digest('MD5')(nonce)]),
        ],
        ['by nonces that become stale after two uses', guard((nonce) => [digest('MD5')(nonce)], 2)],
      ];
      for (const [what, script] of rows)
        it(`${what} gives pictures over one connection`, async (t) => {
          const http = await camera(t, script);
          const feed = watch(t, http.url('/snap?x=1', USER_INFO));
          await feed.until('pictures', () => feed.pictures.length >= 6);
          assert.equal(http.connections(), 1);
        });

      it('asked for once is remembered: one request a picture', async (t) => {
        const http = await camera(
          t,
          guard((nonce) => [digest('MD5')(nonce)]),
        );
        const feed = watch(t, http.url('/', USER_INFO));
        await feed.until('pictures', () => feed.pictures.length >= 6);
        assert.ok(http.requests.length <= feed.pictures.length + 2);
      });

      it('by Basic gives pictures', async (t) => {
        const expected = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
        const http = await camera(t, (request, response, number) => {
          if (request.headers.authorization === expected) sound(request, response, number);
          else response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
        });
        const feed = watch(t, http.url('/', USER_INFO));
        await feed.until('pictures', () => feed.pictures.length >= 3);
      });

      it('that is refused or cannot be done says so', async (t) => {
        const refusing = await faultOf(t, (_, response) => {
          response.writeHead(401, { 'www-authenticate': digest('MD5')('n') }).end();
        });
        assert.equal(refusing.code, 'unauthorized');
        const odd = await faultOf(t, (_, response) => {
          response.writeHead(401, { 'www-authenticate': ['NTLM', digest('SHA-1')('n')] }).end();
        });
        assert.deepEqual([odd.code, /Digest SHA-1/.test(odd.message)], ['login-method', true]);
        const http = await camera(t, (_, response) => {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
        });
        assert.match((await watch(t, http.url('/')).fault()).message, /set "username" and "password"/);
      });
    });

    it('that says the picture is the same is believed, and the picture is frozen in time', async (t) => {
      const http = await camera(t, (request, response) => {
        if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end();
        else send(response, picture(0), { etag: '"one"' });
      });
      const feed = watch(t, http.url('/'), { frozenMs: 800 });
      await feed.until('frozen', () => feed.pictures.at(-1)?.verdict.kind === 'frozen');
      assert.equal(feed.pictures[0]?.verdict.kind, 'healthy');
      assert.equal(http.requests.filter(({ headers }) => headers['if-none-match'] === undefined).length, 1);
      for (const { bytes } of feed.pictures) assert.ok(bytes.equals(picture(0)));
      const times = feed.pictures.map(({ sample }) => sample.capturedAt);
      assert.deepEqual([...new Set(times)].sort(), times);
    });

    it('that sends the same bytes again and again is frozen', async (t) => {
      const http = await camera(t, (_, response) => send(response, picture(0)));
      const feed = watch(t, http.url('/'), { frozenMs: 800 });
      await feed.until('frozen', () => feed.pictures.at(-1)?.verdict.kind === 'frozen');
    });

    it('that takes longer than a period is never asked twice at once, and is said to be slow', async (t) => {
      const http = await camera(t, (request, response, number) => {
        setTimeout(() => sound(request, response, number), 500);
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 4);
      assert.equal(http.overlap(), 1);
      assert.equal(feed.troubles[0]?.code, 'slow-camera');
      assert.match(feed.troubles[0].message, /took \d+ ms for a picture, and one is wanted every 200 ms/);
      assert.ok(feed.pictures.slice(1).every(({ sample }) => sample.missed !== undefined));
    });

    it('that closes its connection after each answer, or in between, goes on', async (t) => {
      const http = await camera(t, (request, response, number) => {
        if (number % 2 === 0) response.setHeader('connection', 'close');
        sound(request, response, number);
        if (number % 3 === 0) response.on('finish', () => setTimeout(() => request.socket.destroy(), 30));
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 8);
      assert.deepEqual(feed.lost, []);
    });

    it('that sends in chunks, or until it closes, is read', async (t) => {
      const http = await camera(t, (_, response, number) => {
        response.writeHead(200, number % 2 === 0 ? {} : { connection: 'close' });
        const bytes = picture(number);
        response.write(bytes.subarray(0, 100));
        response.end(bytes.subarray(100));
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 4);
      assert.ok(feed.pictures.every(({ verdict }) => verdict.kind === 'healthy'));
    });

    describe('whose picture is not whole', { concurrency: true }, () => {
      it('by its length is lost, and the feed says so', async (t) => {
        const fault = await faultOf(t, (request, response) => {
          response.writeHead(200, { 'content-length': String(picture(0).length) });
          response.write(picture(0).subarray(0, 3000), () => setTimeout(() => request.socket.destroy(), 50));
        });
        assert.equal(fault.code, 'closed');
      });

      it('by its bytes alone is torn', async (t) => {
        const http = await camera(t, (_, response, number) =>
          send(response, picture(number).subarray(0, 3000)),
        );
        const feeds = [watch(t, http.url('/')), watch(t, http.url('/'), { width: 320 })];
        for (const feed of feeds) {
          await feed.until('pictures', () => feed.pictures.length >= 2);
          for (const { verdict } of feed.pictures)
            assert.deepEqual(verdict, { kind: 'torn', confidence: 99, reason: 'cut' });
        }
      });

      it('but padded behind its end is healthy', async (t) => {
        const http = await camera(t, (_, response, number) =>
          send(response, Buffer.concat([picture(number), Buffer.alloc(5000, 0x41)])),
        );
        const feed = watch(t, http.url('/'));
        await feed.until('pictures', () => feed.pictures.length >= 2);
        assert.ok(feed.pictures.every(({ verdict }) => verdict.kind === 'healthy'));
      });
    });

    describe('that redirects', { concurrency: true }, () => {
      const to =
        (location: string, status = 302): Script =>
        (request, response, number) => {
          if (request.url === '/there') sound(request, response, number);
          else response.writeHead(status, { location }).end();
        };
      for (const [what, location, status] of [
        ['to another path', '/there', 302],
        ['for good', 'there', 301],
        ['with its method', '/there', 307],
      ] as const)
        it(`${what} is followed`, async (t) => {
          const http = await camera(t, to(location, status));
          const feed = watch(t, http.url('/a'));
          await feed.until('pictures', () => feed.pictures.length >= 4);
          if (status === 301)
            assert.equal(http.requests.filter(({ path }) => path === '/a').length, 1, 'it is remembered');
        });

      it('to itself is asked six times and no more', async (t) => {
        const http = await camera(t, to('/a'));
        const fault = await watch(t, http.url('/a')).fault();
        assert.equal(fault.code, 'redirect');
        assert.equal(http.requests.length, 6);
      });

      it('to another scheme is not followed', async (t) => {
        const fault = await faultOf(t, to('https://127.0.0.1/there'));
        assert.match(
          fault.message,
          /redirects to https:\/\/127\.0\.0\.1\/there; another scheme is never followed/,
        );
        assert.equal((await faultOf(t, to('file:///etc/passwd'))).code, 'redirect');
      });

      it('to another host is not followed, unless the configuration allows it', async (t) => {
        const other = await startHttpCamera(sound, { host: '127.0.0.2' });
        t.after(() => other.stop());
        const fault = await faultOf(t, to(other.url('/there?token=hush')));
        assert.match(
          fault.message,
          /another host, http:\/\/127\.0\.0\.2:\d+\/there\?…; .*"redirects" to "any-host"/,
        );
        assert.equal(other.requests.length, 0);
      });

      for (const target of [
        'http://127.0.0.2/x',
        'http://[::1]/x',
        'http://0.0.0.0/',
        'http://169.254.169.254/latest/',
        'http://localhost:1/',
      ])
        it(`to ${target} is not followed even where any host is allowed`, async (t) => {
          const http = await camera(t, to(target));
          const fault = await watch(t, http.url('/a', USER_INFO), {}, true).fault();
          assert.equal(fault.code, 'redirect', fault.message);
          assert.match(fault.message, /this is never followed/);
        });

      it('without saying where to says so', async (t) => {
        const nowhere = await faultOf(t, (_, response) => {
          response.writeHead(302).end();
        });
        assert.match(nowhere.message, /does not say where to/);
      });
    });

    const page = '<!doctype html><title>Log in</title>';
    const faults: readonly [string, Script, string, RegExp][] = [
      ['404', (_, response) => response.writeHead(404).end(), 'not-found', /check the path/],
      ['403', (_, response) => response.writeHead(403).end(), 'unauthorized', /rights of that user/],
      ['400', (_, response) => response.writeHead(400).end(), 'rejected', /path and query/],
      ['500', (_, response) => response.writeHead(500).end(), 'server-error', /server error \(500\)/],
      ['204', (_, response) => response.writeHead(204).end(), 'no-content', /status 204/],
      ['304 unasked', (_, response) => response.writeHead(304).end(), 'no-content', /status 304/],
      [
        'a page',
        (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page),
        'not-a-picture',
        /text\/html, not with a picture/,
      ],
      ['nothing', (_, response) => response.writeHead(200).end(), 'not-a-picture', /answers with nothing/],
      [
        'a stream',
        (_, response) =>
          response
            .writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=x' })
            .write('--x\r\n'),
        'is-a-stream',
        /write "url" in the place of "still"/,
      ],
      [
        'gzip',
        (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
        'compressed',
        /gzip/,
      ],
      [
        'a length of 1 GiB',
        (_, response) => response.writeHead(200, { 'content-length': String(2 ** 30) }).write('x'),
        'picture-too-large',
        /64 MiB/,
      ],
      [
        '1 MB of headers',
        (_, response) => response.writeHead(200, { x: 'y'.repeat(1_000_000) }).end(),
        'headers-too-large',
        /64 KiB of headers/,
      ],
    ];
    for (const [what, script, code, toDo] of faults)
      it(`that answers with ${what} is "${code}"`, async (t) => {
        const fault = await faultOf(t, script);
        assert.equal(fault.code, code, fault.message);
        assert.match(fault.message, toDo);
      });

    it('that sends without an end is given up before it has sent more than 64 MiB', async (t) => {
      const fault = await faultOf(t, (_, response) => {
        response.writeHead(200);
        const zeros = Buffer.alloc(1024 * 1024);
        const more = () => {
          while (!response.destroyed && response.write(zeros));
        };
        response.on('drain', more);
        more();
      });
      assert.equal(fault.code, 'picture-too-large');
    });

    it('that is busy says for how long, up to five minutes', async (t) => {
      for (const [header, ms] of [
        ['7', 7000],
        ['100000', 300_000],
      ] as const) {
        const fault = await faultOf(t, (_, response) =>
          response.writeHead(503, { 'retry-after': header }).end(),
        );
        assert.equal(fault.code, 'too-many-sessions');
        assert.ok(fault instanceof RetryLater);
        assert.equal(fault.retryAfterMs, ms);
      }
    });

    it('that says nothing, or stops saying it, is given up by its own deadlines', async (t) => {
      const silent = await faultOf(t, () => undefined, { connectMs: 1000 });
      assert.deepEqual([silent.code, /sent nothing for 1000 ms/.test(silent.message)], ['silent', true]);
      const stalled = await faultOf(
        t,
        (_, response) => {
          response.writeHead(200).write(picture(0).subarray(0, 1000));
        },
        { connectMs: 9000, stallMs: 1000 },
      );
      assert.equal(stalled.code, 'stalled');
      const dripping = await faultOf(
        t,
        (_, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('x'), 100);
          response.on('close', () => clearInterval(timer));
        },
        { connectMs: 1500, stallMs: 1000 },
      );
      assert.equal(dripping.code, 'slow-picture');
    });

    it('that takes seven seconds to answer gives pictures, where "connectMs" lets it', async (t) => {
      const http = await camera(t, (request, response, number) => {
        setTimeout(() => sound(request, response, number), 7000);
      });
      const feed = watch(t, http.url('/'), { connectMs: 20_000, stallMs: 5000 });
      await feed.until('two pictures', () => feed.pictures.length >= 2, 30_000);
    });

    it('whose connection dies unnoticed is asked anew after "stallMs"', async (t) => {
      const http = await camera(t, (request, response, number) => {
        if (number < 3) sound(request, response, number);
      });
      const feed = watch(t, http.url('/'), { connectMs: 30_000, stallMs: 1000 });
      const since = Date.now();
      assert.equal((await feed.fault()).code, 'silent');
      assert.ok(Date.now() - since < 6000);
    });

    it('that does not speak HTTP says so', async (t) => {
      const raw = createRawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
      await new Promise((resolve) => raw.once('listening', resolve));
      t.after(() => raw.close());
      const { port } = raw.address() as AddressInfo;
      assert.equal((await watch(t, `http://127.0.0.1:${port}/`).fault()).code, 'not-http');
      assert.equal((await watch(t, `https://127.0.0.1:${port}/`).fault()).code, 'tls');
    });

    describe('whose pictures are wanted otherwise', { concurrency: true }, () => {
      it('is scaled and encoded, and looked at', async (t) => {
        const http = await camera(t, sound);
        const rows = [
          ['jpeg', { width: 320 }, 320, 180],
          ['png', { format: 'png' }, 640, 360],
          ['webp', { format: 'webp', width: 160 }, 160, 90],
        ] as const;
        for (const [format, changes, width, height] of rows) {
          const feed = watch(t, http.url('/'), changes);
          await feed.until('a picture', () => feed.pictures.length >= 2);
          await feed.stop();
          const [first] = feed.pictures;
          assert.ok(first);
          assert.deepEqual([first.format, first.width, first.height], [format, width, height]);
          const read = await sharp(first.bytes).metadata();
          assert.deepEqual([read.format, read.width, read.height], [format, width, height]);
          assert.deepEqual(first.verdict, { kind: 'healthy', confidence: 98 });
          assert.deepEqual(feed.streams, [{ codec: 'jpeg', decoded: true, still: true }]);
        }
      });

      it('is black where it is', async (t) => {
        const black = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#000' } })
          .jpeg()
          .toBuffer();
        const http = await camera(t, (_, response) => send(response, black));
        const feed = watch(t, http.url('/'), { format: 'png' });
        await feed.until('a picture', () => feed.pictures.length >= 1);
        assert.equal(feed.pictures[0]?.verdict.kind, 'black');
      });

      it('may come as PNG too', async (t) => {
        const png = await sharp(picture(0)).png().toBuffer();
        const http = await camera(t, (_, response) => send(response, png, { 'content-type': 'image/png' }));
        const feed = watch(t, http.url('/'));
        await feed.until('a picture', () => feed.pictures.length >= 1);
        assert.equal((await sharp(feed.pictures[0]?.bytes).metadata()).format, 'jpeg');
      });
    });

    it('leaves no connection when it is stopped', async (t) => {
      const http = await camera(t, sound);
      const feed = watch(t, http.url('/'));
      await feed.until('a picture', () => feed.pictures.length >= 1);
      await feed.stop();
      await feed.until('no connection', () => http.open() === 0);
    });
  });
});
