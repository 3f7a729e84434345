/** The tests' own MJPEG, HLS and RTMP servers, verified with the real ffmpeg: media can be decoded, refusals are refusals. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtmpServer } from '../../lab/feeds/rtmp';
import { isAlive, waitUntil } from '../../lab/process';
import { assertDecodable, assertRefused, USER, watch } from '../../lab/feeds/ffmpeg-client';

void describe('the MJPEG server', () => {
  let server: MjpegServer;
  before(async () => {
    server = await startMjpegServer(USER);
  });
  after(() => server.stop());

  void it('delivers, to two clients at once', async () => {
    const stays = await watch(server.url('/stream'), []);
    await waitUntil('a picture', () => stays.pictures() > 0);
    await assertDecodable(server.url('/stream'), 'mjpeg');
    const seen = stays.pictures();
    await waitUntil('more pictures', () => stays.pictures() > seen);
    await stays.end();
    await waitUntil('no stream', () => server.clients() === 0);
  });

  void it('asks for the password below /private', async () => {
    await Promise.all([
      assertDecodable(server.url('/private/stream', true), 'mjpeg'),
      assertRefused(server.url('/private/stream', true).replace('@127.', 'x@127.'), /401 Unauthorized/),
      assertRefused(server.url('/private/stream'), /401 Unauthorized/),
    ]);
  });

  void it('answers 404, a page, or nothing', async () => {
    await Promise.all([
      assertRefused(server.url('/404'), /404 Not Found/),
      assertRefused(server.url('/html'), /Invalid data found/),
      assertRefused(server.url('/silent'), /Connection timed out/, ['-rw_timeout', '300000']),
    ]);
  });

  void it('closes its streams when it stops', async () => {
    const other = await startMjpegServer();
    const client = await watch(other.url('/stream'), []);
    await waitUntil('a picture', () => client.pictures() > 0);
    await other.stop();
    await client.exited;
    await assertRefused(other.url('/stream'), /Connection refused/);
  });
});

void describe('the HLS server', () => {
  void it('delivers, and leaves neither a process nor a server when it stops', async () => {
    const server = await startHlsServer();
    try {
      await assertDecodable(server.url('/cam.m3u8'), 'h264');
      await assertRefused(server.url('/nope.m3u8'), /404 Not Found/);
    } finally {
      await server.stop();
    }
    assert.equal(isAlive(server.pid), false);
    await assertRefused(server.url('/cam.m3u8'), /Connection refused/);
  });
});

void describe('the RTMP server', () => {
  void it('delivers, listens again when its client has left, and leaves no process when it stops', async () => {
    const server = await startRtmpServer();
    const pids = [server.pid()];
    try {
      await assertDecodable(server.url, 'h264');
      await server.listening();
      pids.push(server.pid());
      await assertDecodable(server.url, 'h264');
    } finally {
      await server.stop();
      pids.push(server.pid());
    }
    assert.ok(new Set(pids).size > 1);
    assert.deepEqual(pids.filter(isAlive), []);
    await assertRefused(server.url, /Connection refused/);
  });
});
