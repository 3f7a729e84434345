/** Cameras over TLS: their identity is verified where configured, over each protocol, before a password is sent. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import sharp from 'sharp';
import type { CameraSource, CameraTls } from '../../src/config/topology';
import { Certificates } from '../../lab/certificates';
import { clip } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startMjpegServer } from '../../lab/feeds/mjpeg-server';
import { startHttpCamera } from '../../lab/feeds/http-camera';
import { startRtmpServer } from '../../lab/feeds/rtmp';
import { startRtspServer } from '../../lab/feeds/rtsp';
import { watchFeed, type WatchedFeed } from '../../lab/feeds/watch-feed';

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-camera-tls-'));
after(() => rmSync(DIR, { recursive: true, force: true }));

const certificates = new Certificates(DIR);
const file = (name: string) => certificates.at(name);

/** Terminates TLS in front of a camera; resolves with its URL, and counts the decrypted bytes sent to the camera. */
async function encrypt(
  t: TestContext,
  url: string,
  certificate: string,
): Promise<{ url: string; told: () => string }> {
  const target = new URL(url);
  const sockets = new Set<Socket | TLSSocket>();
  let told = '';
  const proxy = createServer(
    { key: readFileSync(file(`${certificate}.key`)), cert: readFileSync(file(`${certificate}.pem`)) },
    (client) => {
      sockets.add(client.on('error', () => undefined));
      // A connection that only inspects the certificate does not count as the camera's one client.
      client.once('data', (first: Buffer) => {
        const camera = connect(Number(target.port), target.hostname);
        sockets.add(camera.on('error', () => undefined));
        camera.write(first);
        told += first.toString('latin1');
        client.on('data', (chunk: Buffer) => (told += chunk.toString('latin1')));
        client.pipe(camera).pipe(client);
      });
    },
  );
  proxy.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const own = `:${(proxy.address() as AddressInfo).port}`;
  return { url: url.replace(/^(\w+):/, '$1s:').replace(`:${target.port}`, own), told: () => told };
}

const CREDENTIALS = { username: 'viewer', password: 'hushTls42' };

/** Each protocol's server without TLS; the URL may hold credentials, which it requests by Basic or digest. */
const PROTOCOLS: Readonly<
  Record<string, (t: TestContext) => Promise<{ url: string; kind: 'stream' | 'still' }>>
> = {
  'a still picture': async (t) => {
    const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const camera = await startHttpCamera(({ headers }, response) => {
      if (headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture);
    });
    t.after(() => camera.stop());
    return { url: camera.url('/snap', `${CREDENTIALS.username}:${CREDENTIALS.password}`), kind: 'still' };
  },
  MJPEG: async (t) => {
    const camera = await startMjpegServer(CREDENTIALS);
    t.after(() => camera.stop());
    return { url: camera.url('/stream', true), kind: 'stream' };
  },
  HLS: async (t) => {
    const camera = await startHlsServer();
    t.after(() => camera.stop());
    return { url: camera.url('/cam.m3u8'), kind: 'stream' };
  },
  RTSP: async (t) => {
    const camera = await startRtspServer({
      mounts: { '/cam': { clip: await clip(), codec: 'h264', fps: 10 } },
      ...CREDENTIALS,
    });
    t.after(() => camera.stop());
    return { url: camera.url('/cam', true), kind: 'stream' };
  },
  RTMP: async (t) => {
    const camera = await startRtmpServer();
    t.after(() => camera.stop());
    return { url: camera.url, kind: 'stream' };
  },
};

describe('a camera over TLS', { concurrency: 2, timeout: 180_000 }, () => {
  before(() => {
    certificates.make('authority', { subjectAltName: 'DNS:authority' });
    certificates.make('good', { by: 'authority' });
    certificates.make('renamed', { by: 'authority', subjectAltName: 'DNS:IPC' });
    certificates.make('itself', { subjectAltName: 'DNS:IPC' });
  });

  function watch(
    t: TestContext,
    { url, kind }: { url: string; kind: 'stream' | 'still' },
    tls?: CameraTls,
  ): WatchedFeed {
    const trust = tls === undefined ? {} : { tls };
    const source: CameraSource =
      kind === 'still' ? { kind, url, ...trust } : { kind, url, transport: 'tcp', ...trust };
    const feed = watchFeed(source, { periodMs: 200, connectMs: 10_000 });
    t.after(() => feed.stop());
    return feed;
  }

  for (const [protocol, start] of Object.entries(PROTOCOLS)) {
    it(`(${protocol}) whose certificate has a trusted signer gives pictures, and gets its password`, async (t) => {
      const camera = await start(t);
      const { url, told } = await encrypt(t, camera.url, 'good');
      const feed = watch(t, { ...camera, url }, { ca: file('authority.pem') });
      await feed.until('pictures', () => feed.pictures.length >= 2, 40_000);
      assert.equal(feed.basic(), 0);
      assert.ok(told().length > 0);
    });

    for (const [what, certificate, tls, pattern] of [
      ['is signed by nobody who is trusted', 'good', {}, /no trusted authority has signed/],
      ['is that of another name', 'renamed', { ca: 'authority' }, /certificate for another name/],
      ['is signed by somebody else', 'itself', { ca: 'authority' }, /no trusted authority has signed/],
    ] as const)
      it(`(${protocol}) whose certificate ${what} is sent nothing`, async (t) => {
        const camera = await start(t);
        const { url, told } = await encrypt(t, camera.url, certificate);
        const ca = 'ca' in tls ? { ca: file(`${tls.ca}.pem`) } : {};
        const { code, message } = await watch(t, { ...camera, url }, ca).fault();
        assert.equal(code, 'tls-untrusted', message);
        assert.match(message, pattern);
        assert.match(message, /^[a-z]+s:\/\/127\.0\.0\.1:\d+\/\S* has a certificate/);
        assert.doesNotMatch(message, /hushTls42/);
        assert.equal(told(), '');
      });
  }

  it('whose own certificate is the configured one gives pictures, whatever name it contains', async (t) => {
    for (const protocol of ['MJPEG', 'RTSP']) {
      const camera = (await PROTOCOLS[protocol]?.(t)) ?? assert.fail();
      const { url } = await encrypt(t, camera.url, 'itself');
      const feed = watch(t, { ...camera, url }, { ca: file('itself.pem') });
      await feed.until('pictures', () => feed.pictures.length >= 2, 40_000);
    }
  });

  it('that is not verified gives pictures, and a password sent by Basic is reported', async (t) => {
    const camera = (await PROTOCOLS['a still picture']?.(t)) ?? assert.fail();
    const { url } = await encrypt(t, camera.url, 'itself');
    const feed = watch(t, { ...camera, url });
    await feed.until('pictures', () => feed.pictures.length >= 2, 40_000);
    assert.ok(feed.basic() > 0);
  });

  it('that is not reachable is reported as refused, even if it is to be verified', async (t) => {
    for (const scheme of ['rtsps', 'rtmps', 'https']) {
      const feed = watch(t, { url: `${scheme}://127.0.0.1:1/live/cam`, kind: 'stream' }, {});
      assert.equal((await feed.fault()).code, 'refused', scheme);
    }
  });
});
