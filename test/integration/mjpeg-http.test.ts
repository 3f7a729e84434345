/** MJPEG over HTTP with the oddities of real cameras: pictures that browsers show are read, and cut ones reported. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { readJpeg } from '../../src/actors/camera/bitstream/jpeg';
import { startHttpCamera, type Script } from '../../lab/feeds/http-camera';
import { spawnOwned } from '../../lab/process';
import { freePort } from '../../lab/free-port';
import { pictures, type Quirk, stream, usual, watch, watchScript } from '../../lab/feeds/mjpeg-stage';
import { withoutTables } from '../../lab/without-tables';

/** Writes the parts of GStreamer's multipartmux to standard output, with the packages of the tests' RTSP server. */
const MULTIPARTMUX = `
import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst, GLib
Gst.init(None)
pipeline = Gst.parse_launch(
    'videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! jpegenc '
    '! multipartmux boundary=spionisto ! fdsink fd=1')
pipeline.set_state(Gst.State.PLAYING)
GLib.MainLoop().run()
`;
describe('MJPEG over HTTP', { concurrency: 4, timeout: 120_000 }, () => {
  const noise = Buffer.from(Array.from({ length: 513 }, (_, i) => (i * 7919) % 251));
  let parts = 0;

  const whole: readonly [string, Quirk][] = [
    ['as the standard has it', {}],
    [
      'with no boundary before the first part',
      { head: (bytes) => (parts++ === 0 ? usual(bytes).slice(9) : usual(bytes)) },
    ],
    [
      'with parameters of the parts’ type',
      { head: (bytes) => usual(bytes).replace('jpeg', 'jpeg;size=12345') },
    ],
    [
      'with a quoted boundary named with its dashes',
      { type: 'multipart/x-mixed-replace;boundary="--frame"' },
    ],
    ['with no boundary named', { type: 'multipart/x-mixed-replace' }],
    ['of no type at all', { type: '' }],
    ['of the type multipart/mixed', { type: 'multipart/mixed; boundary=frame' }],
    [
      'with no line end behind the boundary',
      { head: (bytes) => usual(bytes).replace('--frame\r\n', '--frame') },
    ],
    ['without part headers', { head: () => '--frame\r\n\r\n' }],
    ['with bare line feeds', { head: (bytes) => usual(bytes).replaceAll('\r', ''), behind: '\n' }],
    ['with no length', { head: () => '--frame\r\nContent-Type: image/jpeg\r\n\r\n' }],
    [
      'with a wrong length',
      { head: () => '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99\r\n\r\n' },
    ],
    ['padded with 513 bytes behind each end', { behind: noise }],
    ['padded with zeros', { behind: Buffer.alloc(4096) }],
    ['without Huffman tables', { change: withoutTables }],
    ['as JPEGs one behind the other', { type: 'video/x-motion-jpeg', head: () => '', behind: '' }],
    ['as JPEGs of an unknown type', { type: 'application/octet-stream', head: () => '', behind: '' }],
    ['as JPEGs that call themselves one picture', { type: 'image/jpeg', head: () => '', behind: '' }],
  ];
  for (const [what, quirk] of whole)
    it(`${what} gives whole pictures, called healthy`, async (t) => {
      const feed = await watchScript(t, stream(quirk));
      await feed.until('pictures', () => feed.pictures.length >= 4);
      await feed.stop();
      assert.deepEqual(feed.lost, []);
      assert.deepEqual(feed.streams, [{ codec: 'mjpeg', decoded: false }]);
      for (const { bytes, width, height, verdict, format } of feed.pictures) {
        assert.deepEqual([format, width, height, verdict.kind], ['jpeg', 640, 360, 'healthy']);
        assert.ok(
          pictures.some((each) => each.length === bytes.length && bytes.equals(each)) || quirk.change,
        );
        assert.deepEqual(readJpeg(bytes)?.whole, true);
        // Go's, Apple's and jpeg-js' decoders know no tables but those in the file.
        assert.ok(bytes.includes(Buffer.from([0xff, 0xc4])));
        assert.ok((await sharp(bytes).stats()).entropy > 2);
      }
    });

  it('with cut pictures is torn', async (t) => {
    const feed = await watchScript(t, stream({ change: (bytes) => bytes.subarray(0, bytes.length / 2) }));
    await feed.until('pictures', () => feed.pictures.length >= 4);
    for (const { verdict } of feed.pictures)
      assert.deepEqual(verdict, { kind: 'torn', confidence: 99, reason: 'cut' });
  });

  it('is decoded where another size is wanted', async (t) => {
    const feed = await watchScript(t, stream({ change: withoutTables }), { width: 320 });
    await feed.until('pictures', () => feed.pictures.length >= 2);
    assert.deepEqual([feed.pictures[0]?.width, feed.pictures[0]?.height], [320, 180]);
  });

  for (const fps of [10, 30, 50])
    it(`at ${fps} pictures a second is timed by its arrivals`, async (t) => {
      const feed = await watchScript(t, stream({}, fps));
      await feed.until('pictures of five seconds', () => feed.pictures.length >= 25);
      // Measured with the observer's clock: ffmpeg's time grid ran ahead by 0.2 s a second at 30 fps, by 1 s at 50 fps.
      for (const { sample, seenMs } of feed.pictures) {
        const lateMs = seenMs - sample.capturedAt;
        assert.ok(lateMs >= -1 && lateMs < 150, String(lateMs));
      }
      const [first, last] = [feed.pictures[0], feed.pictures.at(-1)];
      const seconds = ((last?.seenMs ?? 0) - (first?.seenMs ?? 0)) / 1000;
      assert.ok(
        Math.abs(feed.pictures.length - 1 - 5 * seconds) <= 2,
        `${feed.pictures.length} in ${seconds} s`,
      );
    });

  it('with one picture in six seconds gives it if "stallMs" allows', async (t) => {
    const feed = await watchScript(t, stream({}, 1 / 6), { stallMs: 15_000, periodMs: 1000 });
    await feed.until('two pictures', () => feed.pictures.length >= 2, 30_000);
  });

  it('that is a single still picture is reported with the advice to use "still"', async (t) => {
    for (const headers of [
      { 'content-type': 'image/jpeg' },
      { 'content-type': 'image/jpeg', connection: 'close' },
    ]) {
      const feed = await watchScript(t, (_, response) => response.writeHead(200, headers).end(pictures[0]));
      const fault = await feed.fault();
      assert.deepEqual([fault.code, feed.pictures], ['still-picture', []]);
      assert.match(fault.message, /write "still" in the place of "url"/);
    }
  });

  it('with a login by digest gives pictures, without a warning', async (t) => {
    const challenge = (algorithm: string) =>
      `Digest realm="cam", nonce="abc", qop="auth", algorithm=${algorithm}`;
    const script: Script = (request, response, number) => {
      if (/algorithm=SHA-256.*response="[0-9a-f]{64}"/.test(request.headers.authorization ?? ''))
        stream({})(request, response, number);
      else response.writeHead(401, { 'www-authenticate': [challenge('MD5'), challenge('SHA-256')] }).end();
    };
    const http = await startHttpCamera(script);
    t.after(() => http.stop());
    const feed = watch(t, http.url('/cam', 'admin:secret'));
    await feed.until('pictures', () => feed.pictures.length >= 3);
    assert.equal(http.overlap(), 1);
  });

  it('from ffmpeg’s own server gives pictures', async (t) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/feed`;
    const input = ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=30'];
    const server = await spawnOwned('ffmpeg', [
      ...input,
      '-c:v',
      'mjpeg',
      '-f',
      'mpjpeg',
      '-listen',
      '1',
      url,
    ]);
    t.after(() => server.end());
    await listening(port);
    const feed = watch(t, url);
    await feed.until('pictures', () => feed.pictures.length >= 5);
    assert.deepEqual(feed.lost, []);
    assert.ok(feed.pictures.every(({ verdict }) => verdict.kind === 'healthy'));
  });

  it('from GStreamer’s multipartmux, over bare TCP after a hand-made header, gives pictures', async (t) => {
    const clients = new Set<Socket>();
    const server = createServer((socket) => {
      clients.add(socket.on('error', () => undefined));
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=spionisto\r\n\r\n');
      const gst = spawn('/usr/bin/python3', ['-c', MULTIPARTMUX], { stdio: ['ignore', 'pipe', 'ignore'] });
      gst.stdout.pipe(socket).on('close', () => gst.kill('SIGKILL'));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => {
      for (const client of clients) client.destroy();
      server.close();
    });
    const feed = watch(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await feed.until('pictures', () => feed.pictures.length >= 5);
    assert.ok(feed.pictures.every(({ verdict, width }) => verdict.kind === 'healthy' && width === 320));
  });
});

/** Waits for a server by reading the kernel's table, because ffmpeg's server accepts only one client. */
async function listening(port: number): Promise<void> {
  const entry = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  for (let i = 0; i < 200; i++) {
    if ((await readFile('/proc/net/tcp', 'utf8')).includes(entry)) return;
    await wait(50);
  }
  throw new Error('no server is listening');
}
