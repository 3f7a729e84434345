/** Where a camera may lead: one rule for redirects and playlists, for pictures, streams and segments. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { HlsClient } from '../../../../../src/actors/camera/hls/client';
import { HttpClient } from '../../../../../src/actors/camera/http/client';
import { HostGuard } from '../../../../../src/actors/camera/http/host-guard';
import {
  isSameOrigin,
  mayConnect,
  mayList,
  redirectTarget,
} from '../../../../../src/actors/camera/http/redirect';

describe('an address that a URL does not name', () => {
  for (const [address, named, may] of [
    ['203.0.113.7', '198.51.100.1', true],
    ['203.0.113.7', undefined, true],
    ['192.168.1.21', '192.168.1.20', true],
    ['172.32.0.1', '198.51.100.1', true],
    ['172.31.0.1', '198.51.100.1', false],
    ['10.0.0.1', '198.51.100.1', false],
    ['10.0.0.1', undefined, false],
    ['::ffff:10.0.0.1', '198.51.100.1', false],
    ['192.0.0.8', '198.51.100.1', false],
    ['198.18.0.1', '198.51.100.1', false],
    ['100.64.0.1', '198.51.100.1', false],
    ['64:ff9b::10.0.0.1', '2001:db8::1', false],
    ['2002:a00:1::1', '2001:db8::1', false],
    ['127.0.0.2', '127.0.0.1', false],
    ['::ffff:127.0.0.2', '192.168.1.20', false],
    ['::ffff:7f00:2', '192.168.1.20', false],
    ['::1', '192.168.1.20', false],
    ['0.0.0.0', '192.168.1.20', false],
    ['169.254.169.254', '192.168.1.20', false],
    ['224.0.0.1', '192.168.1.20', false],
    ['fe80::1%eth0', '192.168.1.20', false],
    ['fd00::1', '2001:db8::1', false],
    ['2001:db8::2', '2001:db8::1', true],
  ] as const)
    it(`is ${may ? '' : 'not '}contacted if any host is allowed: ${address} from ${String(named)}`, () =>
      assert.equal(mayConnect(address, named), may));

  it('in a private network is contacted only if any host is allowed', () => {
    assert.equal(mayConnect('192.168.1.21', '192.168.1.20', false), false);
    assert.equal(mayConnect('203.0.113.7', '192.168.1.20', false), true);
  });

  it('is not this machine’s own in its network, whatever is allowed', (t) => {
    const own = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (own === undefined) {
      t.skip('this machine has no network');
      return;
    }
    const guard = new HostGuard({ named: new URL('http://192.168.77.20/'), anyHost: true });
    guard.reached(new URL('http://192.168.77.20/'), '192.168.77.20');
    assert.throws(() => guard.lookup(new URL(`http://${own.address}:6379/`)), { code: 'redirect' });
  });
});

describe('a target of a redirect', () => {
  const led = (named: string, location: string, anyHost: boolean): string | undefined => {
    try {
      return redirectTarget(new URL(named), location, { named: new URL(named), anyHost }).href;
    } catch {
      return undefined;
    }
  };
  for (const [named, location, same, any] of [
    ['http://cam/a', '/b', true, true],
    ['http://cam/a', 'http://cam:8080/b', true, true],
    ['http://cam/a', 'http://CAM/b', true, true],
    ['http://cam/a', 'http://other/b', false, true],
    ['http://cam/a', '//other/b', false, true],
    ['http://cam/a', '\\\\other\\b', false, true],
    ['http://cam/a', 'http://cam@other/b', false, true],
    ['http://cam/a', 'http://cam.other/b', false, true],
    ['http://10.0.0.9/a', 'http://0x0a000009/b', true, true],
    ['http://10.0.0.9/a', 'http://2130706433/b', false, true],
    ['http://cam/a', 'https://cam/b', false, false],
    ['https://cam/a', 'http://cam/b', false, false],
    ['http://cam/a', 'file:///etc/passwd', false, false],
    ['http://cam/a', 'gopher://cam/b', false, false],
  ] as const)
    it(`${location} from ${named} is ${same ? '' : 'not '}followed, ${any ? '' : 'not '}with any host`, () =>
      assert.deepEqual(
        [false, true].map((anyHost) => led(named, location, anyHost) !== undefined),
        [same, any],
      ));

  it('gets the credentials only at the original scheme, host and port', () => {
    const named = new URL('http://cam/a');
    const targets = ['http://cam:80/b', 'http://cam:8080/b', 'https://cam/b', 'http://other/b'];
    assert.deepEqual(
      targets.map((target) => isSameOrigin(new URL(target), named)),
      [true, false, false, false],
    );
  });

  it('may be listed by a playlist over the same scheme, or encrypted', () => {
    const policy = { named: new URL('http://10.0.0.5/a'), anyHost: false };
    const targets = ['http://10.0.0.5:8080/b', 'https://cdn/b', 'rtsp://10.0.0.5/b', 'file:///etc/passwd'];
    assert.deepEqual(
      targets.map((target) => mayList(new URL(target), policy)),
      [true, true, false, false],
    );
    assert.equal(mayList(new URL('http://cdn/b'), { named: new URL('https://cdn/a'), anyHost: true }), false);
  });
});

describe('a camera that leads to this machine, by number or by name,', () => {
  const limits = { openMs: 5000, reuseMs: 5000 };
  const bounds = () => ({ maxBytes: 1000, silenceMs: 5000, signal: new AbortController().signal });

  async function serve(t: TestContext, listener: RequestListener, host: string): Promise<string> {
    const server = createServer(listener).listen(0, host);
    await once(server, 'listening');
    t.after(() => server.close());
    return `http://${host}:${(server.address() as AddressInfo).port}`;
  }

  for (const anyHost of [false, true])
    for (const by of ['127.0.0.2', 'localhost', '[::ffff:127.0.0.2]', '0'])
      it(`asks nothing there: ${by}, ${anyHost ? 'any host' : 'the same host'} allowed`, async (t) => {
        let asked = 0;
        const inner = await serve(t, (_, response) => response.end(String(asked++)), '127.0.0.2');
        const target = inner.replace('127.0.0.2', by);
        const moved: RequestListener = (_, response) => response.writeHead(302, { location: target }).end();
        const camera = await serve(t, moved, '127.0.0.1');
        const client = new HttpClient(`${camera}/a`, { anyHost });
        t.after(() => client.close());
        await assert.rejects(client.get({}, limits, new AbortController().signal), { code: 'redirect' });
        const hls = new HlsClient(`${camera}/a`, { anyHost });
        t.after(() => hls.close());
        // Once through the camera's answer, and once through its playlist.
        for (const url of [`${camera}/a`, `${target}/segment.ts`])
          await assert.rejects(hls.fetch({ url }, bounds()), { code: 'forbidden-host' });
        assert.equal(asked, 0);
      });
});
