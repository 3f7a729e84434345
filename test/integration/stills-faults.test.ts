/** Still-picture cameras that redirect, refuse, stall or send something else: each is distinguished. */
import assert from 'node:assert/strict';
import { createServer as createRawServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { RetryLater } from '../../src/actors/camera/http/http-fault';
import { startHttpCamera, type Script } from '../../lab/feeds/http-camera';
import { camera, faultOf, picture, sound, USER_INFO, watch } from '../../lab/feeds/still-stage';

describe('a camera of still pictures', () => {
  describe('among others', { concurrency: true }, () => {
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

      it('to itself is requested six times and no more', async (t) => {
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
        it(`to ${target} is not followed even if any host is allowed`, async (t) => {
          const http = await camera(t, to(target));
          const fault = await watch(t, http.url('/a', USER_INFO), {}, true).fault();
          assert.equal(fault.code, 'redirect', fault.message);
          assert.match(fault.message, /this is never followed/);
        });

      it('without a target is reported as such', async (t) => {
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

    it('that sends endlessly is given up before it has sent more than 64 MiB', async (t) => {
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

    it('that is busy is left alone for as long as it says, up to five minutes', async (t) => {
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

    it('that sends nothing, or stops in between, is given up by its own deadlines', async (t) => {
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

    it('that takes seven seconds to answer gives pictures if "connectMs" allows', async (t) => {
      const http = await camera(t, (request, response, number) => {
        setTimeout(() => sound(request, response, number), 7000);
      });
      const feed = watch(t, http.url('/'), { connectMs: 20_000, stallMs: 5000 });
      await feed.until('two pictures', () => feed.pictures.length >= 2, 30_000);
    });

    it('whose connection dies unnoticed is requested again after "stallMs"', async (t) => {
      const http = await camera(t, (request, response, number) => {
        if (number < 3) sound(request, response, number);
      });
      const feed = watch(t, http.url('/'), { connectMs: 30_000, stallMs: 1000 });
      const since = Date.now();
      assert.equal((await feed.fault()).code, 'silent');
      assert.ok(Date.now() - since < 6000);
    });

    it('that does not speak HTTP is reported as such', async (t) => {
      const raw = createRawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
      await new Promise((resolve) => raw.once('listening', resolve));
      t.after(() => raw.close());
      const { port } = raw.address() as AddressInfo;
      assert.equal((await watch(t, `http://127.0.0.1:${port}/`).fault()).code, 'not-http');
      assert.equal((await watch(t, `https://127.0.0.1:${port}/`).fault()).code, 'tls');
    });
  });
});
