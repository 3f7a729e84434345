/** MJPEG over HTTP from servers with the oddities that cameras have: what browsers show, we read, and say when it is not whole. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { readJpeg } from '../../src/actors/camera/bitstream/jpeg';
import type { CameraSpec } from '../../src/config/topology';
import { clip, splitJpegs } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startHttpCamera, type Script } from '../../lab/feeds/http-camera';
import { watchFeed, type WatchedFeed } from '../../lab/feeds/watch-feed';
import { spawnOwned } from '../../lab/process';

/** The beginning of a GIF of 16 by 16 pixels. */
const GIF = Buffer.from('474946383961100010008000000000ffffff21f90400000000002c', 'hex');
const MULTIPART = 'multipart/x-mixed-replace; boundary=frame';

/** GStreamer's own parts on standard output, by what the tests' RTSP server needs too. */
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
import { freePort } from '../../lab/free-port';

interface Quirk {
  readonly type?: string;
  readonly head?: (bytes: Buffer) => string;
  readonly behind?: Buffer | string;
  readonly change?: (bytes: Buffer) => Buffer;
}

describe('MJPEG over HTTP', { concurrency: 4, timeout: 120_000 }, () => {
  let pictures: readonly Buffer[] = [];
  before(async () => {
    pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', seconds: 2 })));
  });

  function watch(t: TestContext, url: string, changes: Partial<CameraSpec> = {}): WatchedFeed {
    const feed = watchFeed({ kind: 'stream', url, transport: 'tcp' }, changes);
    t.after(() => feed.stop());
    return feed;
  }

  async function watchScript(t: TestContext, script: Script, changes: Partial<CameraSpec> = {}) {
    const http = await startHttpCamera(script);
    t.after(() => http.stop());
    return watch(t, http.url('/cam'), changes);
  }

  const usual = (bytes: Buffer) =>
    `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const stream =
    (
      { type = MULTIPART, head = usual, behind = '\r\n', change = (bytes) => bytes }: Quirk,
      fps = 20,
    ): Script =>
    (_, response) => {
      response.writeHead(200, type === '' ? {} : { 'content-type': type });
      let next = 0;
      const timer = setInterval(() => {
        const bytes = change(pictures[next++ % pictures.length] ?? Buffer.alloc(0));
        response.write(Buffer.concat([Buffer.from(head(bytes)), bytes, Buffer.from(behind)]));
      }, 1000 / fps);
      response.on('close', () => clearInterval(timer));
    };
  const withoutTables = (bytes: Buffer) => {
    const kept = [bytes.subarray(0, 2)];
    for (let at = 2; ;) {
      const end = at + 2 + bytes.readUInt16BE(at + 2);
      const marker = bytes[at + 1];
      if (marker !== 0xc4) kept.push(bytes.subarray(at, end));
      at = end;
      if (marker === 0xda) return Buffer.concat([...kept, bytes.subarray(at)]);
    }
  };
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

  it('whose pictures are cut is torn', async (t) => {
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
    it(`at ${fps} pictures a second has the arrivals for its times`, async (t) => {
      const feed = await watchScript(t, stream({}, fps));
      await feed.until('pictures of five seconds', () => feed.pictures.length >= 25);
      // By the clock of who looks: ffmpeg's grid ran ahead by 0.2 s a second at 30, 1 s at 50.
      for (const { sample, at } of feed.pictures)
        assert.ok(
          at - sample.capturedAt >= -1 && at - sample.capturedAt < 150,
          String(at - sample.capturedAt),
        );
      const [first, last] = [feed.pictures[0], feed.pictures.at(-1)];
      const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
      assert.ok(
        Math.abs(feed.pictures.length - 1 - 5 * seconds) <= 2,
        `${feed.pictures.length} in ${seconds} s`,
      );
    });

  it('with one picture in six seconds gives it, where "stallMs" lets it', async (t) => {
    const feed = await watchScript(t, stream({}, 1 / 6), { stallMs: 15_000, periodMs: 1000 });
    await feed.until('two pictures', () => feed.pictures.length >= 2, 30_000);
  });

  it('that is one still picture says to use "still"', async (t) => {
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

  it('with a login by digest gives pictures, and says nothing of it', async (t) => {
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

  it('that is something else is read by ffmpeg, behind a closed connection', async (t) => {
    const hls = await startHlsServer();
    t.after(() => hls.stop());
    const feed = watch(t, hls.url('/cam.m3u8'));
    await feed.until('pictures', () => feed.pictures.length >= 3, 30_000);
    assert.equal(feed.streams[0]?.codec, 'h264');
  });

  it('that is MPEG-TS is handed to ffmpeg, which asks the camera nothing itself: a redirect of its next answer leads nowhere', async (t) => {
    const other = await startHttpCamera((_, response) => response.end());
    t.after(() => other.stop());
    const video = await transportStream();
    const http = await startHttpCamera((_, response, number) => {
      if (number > 0) {
        response.writeHead(302, { location: other.url('/internal') }).end();
        return;
      }
      // Of a live stream no more comes than time has passed.
      const pieces = 80;
      let sent = 0;
      const timer = setInterval(() => {
        const from = Math.floor((sent++ * video.length) / pieces);
        response.write(video.subarray(from, Math.floor((sent * video.length) / pieces)));
        if (sent === pieces) response.end();
      }, 50);
      response.on('close', () => clearInterval(timer));
    });
    t.after(() => http.stop());
    const feed = watch(t, http.url('/cam'));
    await feed.until('pictures', () => feed.pictures.length >= 3);
    assert.equal(feed.streams[0]?.codec, 'h264');
    const [first] = http.requests;
    assert.equal(http.requests.filter(({ path }) => path === first?.path).length, 1);
    assert.equal(http.connections(), 1);
    assert.equal((await feed.fault()).code, 'ended');
    assert.equal(other.requests.length, 0);
  });

  const faults: readonly [string, Script, string, RegExp][] = [
    [
      'a list of files',
      (_, response) =>
        response
          .writeHead(200, { 'content-type': 'video/x-any' })
          .end('ffconcat version 1.0\nfile /etc/hostname\n'),
      'leads-elsewhere',
      /list of other addresses/,
    ],
    [
      'a kind of file that no camera sends',
      (_, response) => {
        response
          .writeHead(200, { 'content-type': 'video/x-any' })
          .end(Buffer.concat([GIF, Buffer.alloc(4096)]));
      },
      'unsupported-container',
      /is in a container that is not read here; set the camera to RTSP/,
    ],
    [
      'another protocol',
      (_, response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'not-http',
      /not in HTTP/,
    ],
    [
      'a page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
      'not-a-stream',
      /text\/html/,
    ],
    [
      'a redirect in a circle',
      (_, response) => response.writeHead(302, { location: '/cam' }).end(),
      'redirect',
      /more than 5 times/,
    ],
    ['headers without an end', endlessHeaders, 'headers-too-large', /64 KiB/],
    [
      'gzip',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('xxxxxxxxxxxxxxxxxxxx'),
      'compressed',
      /gzip/,
    ],
    ['nothing', () => undefined, 'silent', /sent nothing for 1000 ms/],
    [
      'headers alone',
      (_, response) => response.writeHead(200, { 'content-type': MULTIPART }).flushHeaders(),
      'silent',
      /sent no picture for 1000 ms/,
    ],
    [
      'an end',
      (_, response) => response.writeHead(200, { 'content-type': MULTIPART }).end(),
      'closed',
      /before a picture was complete/,
    ],
  ];
  for (const [what, script, code, toDo] of faults)
    it(`that answers with ${what} is "${code}"`, async (t) => {
      const feed = await watchScript(t, script, { connectMs: 1000 });
      const fault = await feed.fault();
      assert.equal(fault.code, code, fault.message);
      assert.match(fault.message, toDo);
      assert.match(fault.message, /^http:\/\/127\.0\.0\.1:\d+\/cam /);
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

  it('from GStreamer’s multipartmux, over bare TCP behind a hand-made header, gives pictures', async (t) => {
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

async function transportStream(): Promise<Buffer> {
  const args = ['-v', 'error', '-i', await clip({ seconds: 5 }), '-c', 'copy', '-f', 'mpegts', 'pipe:1'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: 1 << 26 });
  return stdout;
}

/** Lines of a header, until the connection closes. */
function endlessHeaders(...[, response]: Parameters<Script>): void {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket?.write(`X-Header: ${'a'.repeat(4000)}\r\n`), 5);
  socket?.on('close', () => clearInterval(timer));
}

/** Waits for a server by looking into the kernel's table: ffmpeg's takes one client alone. */
async function listening(port: number): Promise<void> {
  const entry = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  for (let i = 0; i < 200; i++) {
    if ((await readFile('/proc/net/tcp', 'utf8')).includes(entry)) return;
    await wait(50);
  }
  throw new Error('no server is listening');
}
