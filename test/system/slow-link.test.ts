/** Feeds over a link slower than the stream, and over one with pauses: the age of pictures, and what is reported. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { FaultProxy } from '../../lab/fault-proxy';
import { startRtmpServer, type RtmpServer } from '../../lab/feeds/rtmp';
import { waitUntil } from '../../lab/process';

const MEASURED_MS = 4000;
const SPEED = 0.6;
const MAX_DELAY_MS = 2000;
/** For the detection, and for the picture in transit. */
const SLACK_MS = 1500;
const DEADLINE_MS = 60_000;

describe('a link', { concurrency: false }, () => {
  const namespace = newNamespace();
  let server: RtmpServer;
  let proxy: FaultProxy;
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    server = await startRtmpServer({ width: 640, height: 360, fps: 25 });
    proxy = await FaultProxy.start(server.port);
    events = await listen(namespace);
    const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`);
    daemon = startDaemon({
      config: { namespace, ...remoteServers(), cameras: [{ id: 'far', url, maxDelayMs: MAX_DELAY_MS }] },
    });
    await events.gotFrames('far', 3);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await proxy.stop();
    await server.stop();
  });

  const delays = () => events.frames('far').map(({ linkDelayMs = 0 }) => linkDelayMs);
  const slow = () => daemon.log.filter(({ code }) => code === 'slow-link');

  test('with a pause of a second or two delivers late pictures, dated by when they were taken, and is left alone', async () => {
    const from = events.frames('far').length;
    for (let pause = 0; pause < 2; pause++) {
      const count = events.frames('far').length;
      proxy.network = { kind: 'black-hole' };
      const since = Date.now();
      await waitUntil('the pause', () => Date.now() - since >= 1800);
      proxy.network = { kind: 'sound' };
      await events.gotFrames('far', count + 4);
    }
    const frames = events.frames('far').slice(from);
    for (const [i, frame] of frames.slice(1).entries()) {
      const stepMs = frame.capturedAt - (frames[i]?.capturedAt ?? 0);
      assert.ok(stepMs >= 450 && stepMs <= 1650, `${stepMs} ms from picture to picture`);
    }
    assert.deepEqual(slow(), []);
  });

  test('slower than the stream is reported with its rates, and pictures are never older than allowed', async () => {
    const count = events.frames('far').length;
    const [bytes, since] = [proxy.bytesDown, Date.now()];
    await waitUntil('the rate of the stream', () => Date.now() - since >= MEASURED_MS);
    const bytesPerSecond = (1000 * (proxy.bytesDown - bytes)) / (Date.now() - since);
    proxy.network = { kind: 'slow-link', bytesPerSecond: SPEED * bytesPerSecond };
    await waitUntil(
      'two reopenings',
      () => slow().length >= 2 || events.gaps('far').length >= 2,
      DEADLINE_MS,
    );
    const { level, message } = slow()[0] ?? assert.fail();
    assert.equal(level, 'warn');
    const [, arrives = 0, stream = 0] = (
      /arrives at (\d+) kbit\/s and its stream has (\d+) kbit/.exec(message) ?? []
    ).map(Number);
    assert.ok(Math.abs(arrives / stream - SPEED) < 0.15, message);
    assert.ok(Math.abs((1000 * stream) / (8 * bytesPerSecond) - 1) < 0.3, message);
    assert.match(message, /reopening the feed at the newest/);
    const late = delays().slice(count);
    assert.ok(Math.max(...late) > 1000, String(late));
    assert.ok(Math.max(...late) <= MAX_DELAY_MS + SLACK_MS, String(late));
    await waitUntil('its gap', () => events.gaps('far').some(({ reason }) => reason === 'slow-link'));
  });

  test('that is fast again delivers pictures in time', async () => {
    proxy.network = { kind: 'sound' };
    await waitUntil(
      'pictures in time',
      () =>
        delays()
          .slice(-4)
          .every((delayMs) => delayMs === 0),
      DEADLINE_MS,
    );
  });
});
