/** Cameras that do not work: each is identified in one clear sentence, and the others continue. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { clip } from '../../lab/feeds/clips';
import { startMjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtspServer } from '../../lab/feeds/rtsp';

describe('bad cameras', () => {
  const namespace = newNamespace();
  const closing: (() => Promise<unknown>)[] = [];
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    const h264 = await clip();
    const rtsp = await startRtspServer({
      mounts: { '/cam': { clip: h264, codec: 'h264', fps: 10 } },
      username: 'viewer',
      password: 'right',
    });
    const open = await startRtspServer({ mounts: { '/cam': { clip: h264, codec: 'h264', fps: 10 } } });
    const http = await startMjpegServer();
    await open.send({ command: 'silence', path: '/cam' });
    for (const server of [rtsp, open, http]) closing.push(() => server.stop());
    const login = { username: 'viewer', password: 'right' };
    events = await listen(namespace);
    daemon = startDaemon({
      config: {
        namespace,
        ...remoteServers(),
        cameraDefaults: { connectMs: 4000 },
        cameras: [
          { id: 'good', url: rtsp.url('/cam'), ...login },
          { id: 'wrong-password', url: rtsp.url('/cam'), username: 'viewer', password: 'Wr0ngSecret' },
          { id: 'wrong-path', url: rtsp.url('/nope'), ...login },
          { id: 'no-server', url: 'rtsp://127.0.0.1:1/cam' },
          { id: 'no-stream', url: http.url('/html') },
          { id: 'http-404', url: http.url('/404') },
          { id: 'silent', url: open.url('/cam') },
          { id: 'no-host', url: 'rtsp://no-such-host.invalid/cam' },
          { id: 'no-file', file: 'nothing-here.mp4' },
        ],
      },
    });
    await daemon.said(/^ready/);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await Promise.all(closing.map((close) => close()));
  });

  const cases: [string, string, RegExp][] = [
    [
      'wrong-password',
      'unauthorized',
      /^rtsp:\/\/127\.0\.0\.1:\d+\/cam refused the user name or password; check/,
    ],
    ['wrong-path', 'not-found', /\/nope answers, but has no stream of that path \(404\); check the path/],
    ['no-server', 'refused', /^rtsp:\/\/127\.0\.0\.1:1\/cam refuses connections; check the port/],
    [
      'no-stream',
      'not-a-stream',
      /\/html answers with text\/html, not with video; check that the URL is that of a stream/,
    ],
    ['http-404', 'not-found', /\/404 answers, but has nothing at that path \(404\); check the path/],
    ['silent', 'silent', /\/cam accepts the connection and does not answer within 4000 ms of being opened/],
    ['no-host', 'unknown-host', /^rtsp:\/\/no-such-host\.invalid\/cam has a name that cannot be resolved/],
    ['no-file', 'no-file', /nothing-here\.mp4 does not exist; check the path/],
  ];
  for (const [camera, code, sentence] of cases)
    test(`${camera}: the state event and the log say ${code} in one sentence`, async () => {
      const { state, fault } = await events.gotFault(camera, code);
      assert.equal(state, 'waiting');
      assert.match(fault?.message ?? '', sentence);
      const line = daemon.log.find((entry) => entry.camera === camera && entry.code === code);
      assert.equal(line?.level, 'warn');
      assert.match(line.message, sentence);
    });

  test('the good camera beside them still gives a picture every second', async () => {
    await events.gotEverySecond('good', 8);
  });

  test('no password is in the log or an event', () => {
    for (const text of [daemon.output(), JSON.stringify(events.received)])
      assert.doesNotMatch(text, /Wr0ngSecret|right@|:right/);
  });
});
