/** A URL that is not MJPEG: other video is read by ffmpeg, and what is not video is reported as such. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, it } from 'node:test';
import { clip } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startHttpCamera, type Script } from '../../lab/feeds/http-camera';
import { MULTIPART, watch, watchScript } from '../../lab/feeds/mjpeg-stage';

/** The beginning of a GIF of 16 by 16 pixels. */
const GIF = Buffer.from('474946383961100010008000000000ffffff21f90400000000002c', 'hex');

describe('MJPEG over HTTP', { concurrency: 4, timeout: 120_000 }, () => {
  it('that is other video is read by ffmpeg over a new connection', async (t) => {
    const hls = await startHlsServer();
    t.after(() => hls.stop());
    const feed = watch(t, hls.url('/cam.m3u8'));
    await feed.until('pictures', () => feed.pictures.length >= 3, 30_000);
    assert.equal(feed.streams[0]?.codec, 'h264');
  });

  it('that is MPEG-TS is piped to ffmpeg, which requests nothing itself: a redirect in the next answer has no effect', async (t) => {
    const other = await startHttpCamera((_, response) => response.end());
    t.after(() => other.stop());
    const video = await transportStream();
    const http = await startHttpCamera((_, response, number) => {
      if (number > 0) {
        response.writeHead(302, { location: other.url('/internal') }).end();
        return;
      }
      // A live stream sends no faster than real time.
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
    // The duration depends on whether this process had a processor meanwhile.
    ['nothing', () => undefined, 'silent', /sent nothing for \d+ ms/],
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
});

async function transportStream(): Promise<Buffer> {
  const args = ['-v', 'error', '-i', await clip({ seconds: 5 }), '-c', 'copy', '-f', 'mpegts', 'pipe:1'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: 1 << 26 });
  return stdout;
}

/** Sends header lines until the connection closes. */
function endlessHeaders(...[, response]: Parameters<Script>): void {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket?.write(`X-Header: ${'a'.repeat(4000)}\r\n`), 5);
  socket?.on('close', () => clearInterval(timer));
}
