/** Cameras that come and go every few seconds: how much of it an operator has to read. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startDaemon, type Daemon, type LogLine } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { FaultProxy } from '../../lab/fault-proxy';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { startHttpCamera, type HttpCamera } from '../../lab/feeds/http-camera';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { waitUntil } from '../../lab/process';
import { encodedUnits } from '../../lab/encoded-units';

/** How often each camera disappears, and for how long. */
const EACH_MS = 2500;
const AWAY_MS = 500;
const FLAPPING_MS = 30_000;
/** A feed is steady after ten seconds without a fault; before that it must be reopened. */
const STEADY_MS = 60_000;

describe('a flapping camera', { concurrency: false }, () => {
  const namespace = newNamespace();
  let [rtsp, proxy, http, events, daemon] = [] as unknown as [
    RtspServer,
    FaultProxy,
    HttpCamera,
    Listener,
    Daemon,
  ];
  let isAway = false;
  const answers = new Set<ServerResponse>();

  before(async () => {
    const pictures = await encodedUnits({
      source: 'testsrc2=size=320x180:rate=5',
      seconds: 4,
      codec: 'mjpeg',
    });
    rtsp = await startRtspServer({
      mounts: { '/cam': { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } },
    });
    proxy = await FaultProxy.start(rtsp.port);
    http = await startHttpCamera((_, response) => {
      if (isAway) {
        response.destroy();
        return;
      }
      answers.add(response);
      response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=b' });
      let count = 0;
      const timer = setInterval(() => {
        const bytes = pictures[count++ % pictures.length] ?? Buffer.alloc(0);
        response.write(`--b\r\ncontent-type: image/jpeg\r\ncontent-length: ${bytes.length}\r\n\r\n`);
        response.write(Buffer.concat([bytes, Buffer.from('\r\n')]));
      }, 200);
      response.on('close', () => {
        clearInterval(timer);
        answers.delete(response);
      });
    });
    events = await listen(namespace);
    const url = rtsp.url('/cam').replace(`:${rtsp.port}/`, `:${proxy.port}/`);
    daemon = startDaemon({
      config: {
        namespace,
        ...remoteServers(),
        cameras: [
          { id: 'rtsp', url },
          { id: 'mjpeg', url: http.url('/mjpeg') },
        ],
      },
    });
    for (const camera of ['rtsp', 'mjpeg']) await events.gotFrames(camera, 2);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await proxy.stop();
    await http.stop();
    await rtsp.stop();
  });

  const go = () => {
    isAway = true;
    proxy.network = { kind: 'reset' };
    for (const response of answers) response.destroy();
  };
  const come = () => {
    isAway = false;
    proxy.network = { kind: 'sound' };
  };
  const linesOf = (camera: string, from: number): LogLine[] =>
    daemon.log.slice(from).filter(({ actor }) => actor === `camera:${camera}`);

  test('is logged once for each kind of end while it flaps, and once when it is steady again', async () => {
    const from = daemon.log.length;
    const begun = Date.now();
    let times = 0;
    for (; Date.now() - begun < FLAPPING_MS; times++) {
      go();
      const since = Date.now();
      await waitUntil('it to be away', () => Date.now() - since >= AWAY_MS);
      come();
      await waitUntil('it to be back', () => Date.now() - since >= EACH_MS);
    }
    assert.ok(times >= 5);
    const told = ['rtsp', 'mjpeg'].map((camera) => linesOf(camera, from));
    for (const lines of told) {
      assert.ok(lines.length >= 1 && lines.length <= 3, JSON.stringify(lines));
      const codes = lines.map(({ code }) => code ?? '');
      assert.deepEqual(codes, [...new Set(codes)], 'each kind of end is said once');
      for (const code of codes) assert.match(code, /^(?:ended|closed|refused)$/);
    }
    await waitUntil(
      'both are steady',
      () => ['rtsp', 'mjpeg'].every((camera) => linesOf(camera, from).at(-1)?.level === 'info'),
      STEADY_MS,
    );
    for (const [i, camera] of ['rtsp', 'mjpeg'].entries())
      assert.equal(linesOf(camera, from).length, (told[i]?.length ?? 0) + 1);
  });
});
