/** Every kind of feed, from a real server of that kind to the consumer. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { decodeFrame } from '../../src/consumer';
import { clip, splitJpegs } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startMjpegServer } from '../../lab/feeds/mjpeg-server';
import { startHttpCamera } from '../../lab/feeds/http-camera';
import { startRtmpServer } from '../../lab/feeds/rtmp';
import { startRtspServer } from '../../lab/feeds/rtsp';
import { smallVideo } from '../../lab/feeds/small-video';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { getdel, listen, look, newNamespace, remoteServers, type Listener } from '../../lab/events';

/** Characters a person might choose, and those that end a part of a URL, a quoted string or a line of options. */
const PASSWORD = `p@:/?#%'\\& \${x} é`;
const USERNAME = 'ad min@home';
/** Milliseconds within which this many cameras start, even on a busy machine. */
const START_MS = 120_000;

describe('feeds', () => {
  const namespace = newNamespace();
  const closing: (() => Promise<unknown>)[] = [];
  let events: Listener;
  let daemon: Daemon;
  /** The newest period at the time when every camera had announced a picture. */
  let begun = 0;

  before(async () => {
    const [h264, h265, mjpeg] = await Promise.all([
      clip({ codec: 'h264' }),
      clip({ codec: 'h265' }),
      clip({ codec: 'mjpeg' }),
    ]);
    const mounts = {
      '/h264': { clip: h264, codec: 'h264', fps: 10 },
      '/h265': { clip: h265, codec: 'h265', fps: 10 },
      '/mjpeg': { clip: mjpeg, codec: 'mjpeg', fps: 10 },
    } as const;
    const jpegs = splitJpegs(await readFile(mjpeg));
    const [plain, guarded, encrypted, http, hls, rtmp, stills] = await Promise.all([
      startRtspServer({ mounts }),
      startRtspServer({ mounts, username: USERNAME, password: PASSWORD }),
      startRtspServer({ mounts, tls: true }),
      startMjpegServer(),
      startHlsServer(),
      startRtmpServer(),
      startHttpCamera((_, response, number) => {
        response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpegs[number % jpegs.length]);
      }),
    ]);
    for (const server of [plain, guarded, encrypted, http, hls, rtmp, stills])
      closing.push(() => server.stop());
    const credentials = { username: USERNAME, password: PASSWORD.replaceAll('${', () => '$${') };
    events = await listen(namespace);
    const dir = newDir();
    const cameras = [
      { id: 'rtsp-tcp', url: plain.url('/h264') },
      { id: 'undecoded', url: plain.url('/h265'), format: 'keyframe' },
      { id: 'rtsp-udp', url: plain.url('/h264'), transport: 'udp' },
      { id: 'rtsp-h265', url: plain.url('/h265') },
      { id: 'rtsp-mjpeg', url: plain.url('/mjpeg') },
      { id: 'rtsps', url: encrypted.url('/h264') },
      { id: 'guarded', url: guarded.url('/h264'), ...credentials },
      { id: 'http-mjpeg', url: http.url('/stream') },
      { id: 'still', still: stills.url('/snap.jpg') },
      { id: 'still-scaled', still: stills.url('/snap.jpg'), width: 320 },
      { id: 'hls', url: hls.url('/cam.m3u8') },
      { id: 'rtmp', url: rtmp.url },
      { id: 'file', file: h265 },
      { id: 'short-mp4', file: await smallVideo(dir, 2) },
      { id: 'short-mjpeg', file: await clip({ codec: 'mjpeg', seconds: 2 }) },
      { id: 'synthetic', test: 'testsrc2', width: 320 },
    ];
    daemon = startDaemon({ dir, config: { namespace, ...remoteServers(), cameras } });
    await daemon.said(/^ready/);
    // While this many cameras start, the first of them may miss a second.
    const started = await Promise.all(cameras.map(({ id }) => events.gotFrames(id, 1, START_MS)));
    begun = Math.max(...started.flat().map(({ sequence }) => sequence));
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await Promise.all(closing.map((close) => close()));
  });

  const cases = [
    ['rtsp-tcp', 'H.264 over RTSP and TCP', [640, 360]],
    ['rtsp-udp', 'H.264 over RTSP and UDP', [640, 360]],
    ['rtsp-h265', 'H.265 over RTSP', [640, 360]],
    ['rtsp-mjpeg', 'MJPEG over RTSP', [640, 360]],
    ['rtsps', 'RTSP over TLS', [640, 360]],
    ['guarded', 'RTSP with a password of awkward characters', [640, 360]],
    ['http-mjpeg', 'MJPEG over HTTP', undefined],
    ['still', 'a still picture over HTTP', [640, 360]],
    ['still-scaled', 'a still picture, scaled', [320, 180]],
    ['hls', 'HLS', undefined],
    ['rtmp', 'RTMP', undefined],
    ['file', 'a local H.265 file, looped', [640, 360]],
    ['synthetic', 'a synthetic picture, scaled', [320, 180]],
  ] as const;
  for (const [camera, what, size] of cases)
    test(`${what} gives one decodable picture a second`, async () => {
      const frames = await events.gotEverySecond(camera, 5, { afterSequence: begun });
      const [last] = frames.slice(-1);
      assert.ok(last);
      const bytes = await getdel(last.key);
      assert.ok(bytes, 'an announced key is in Redis');
      const picture = await look(bytes);
      assert.equal(picture.format, 'jpeg');
      assert.deepEqual([picture.width, picture.height], [last.width, last.height]);
      if (size !== undefined) assert.deepEqual([last.width, last.height], size);
      assert.equal(bytes.length, last.bytes);
      for (const { capturedAt, sequence } of frames)
        assert.ok(Math.abs(Math.floor(capturedAt / 1000) - sequence) <= 1);
    });

  for (const camera of ['short-mp4', 'short-mjpeg'])
    test(`a file of two seconds (${camera}) is looped without a gap`, async () => {
      await events.gotEverySecond(camera, 10, { afterSequence: begun });
      assert.ok(!events.states(camera).some(({ state }) => state === 'waiting'));
    });

  test('a keyframe is stored as the camera sent it, and decoded by its consumer', async () => {
    const [frame] = await events.gotEverySecond('undecoded', 5, { afterSequence: begun });
    assert.ok(frame !== undefined && frame.key.endsWith(':640x360:h265'));
    const bytes = await getdel(frame.key);
    assert.ok(bytes);
    const picture = await decodeFrame(bytes, frame.format);
    assert.deepEqual([picture.width, picture.height], [640, 360]);
  });

  test('no part of a credential appears in the log, an event or a process list', async () => {
    await events.gotFrames('guarded', 3);
    const processes = await import('node:child_process').then(({ execFileSync }) =>
      execFileSync('ps', ['-eo', 'args', '-ww'], { encoding: 'utf8' }),
    );
    const texts = [daemon.output(), JSON.stringify(events.received), processes];
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'p%40%3A', USERNAME, 'ad%20min'])
      for (const text of texts) assert.ok(!text.includes(secret), `${secret} is visible`);
  });
});
