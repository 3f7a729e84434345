/** What a consumer relies on: keys, bytes, messages, one frame a second, silence after a stop, and recovery after a kill. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv';
import { FrameSampled } from '../../src/contract/message';
import { startDaemon, type Daemon } from '../../lab/daemon';
import {
  getdel,
  listen,
  look,
  newNamespace,
  remoteServers,
  withRedis,
  type Listener,
} from '../../lab/events';
import { waitUntil } from '../../lab/process';

describe('delivery', () => {
  const namespace = newNamespace();
  let events: Listener;
  let daemon: Daemon;
  const newest = (camera: string) => Math.max(...events.frames(camera).map(({ sequence }) => sequence));

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({
      config: {
        namespace,
        ...remoteServers(),
        frames: { expireMs: 30_000 },
        cameras: [
          { id: 'jpeg', test: 'smptehdbars' },
          { id: 'png', test: 'smptehdbars', format: 'png', width: 160 },
          { id: 'webp', test: 'smptehdbars', format: 'webp', width: 320, quality: 50 },
          { id: 'fast', test: 'testsrc2', rate: 4, width: 64 },
          { id: 'slow', test: 'testsrc2', rate: 0.5, width: 64 },
          { id: 'off', test: 'testsrc2', enabled: false },
        ],
      },
    });
    await daemon.said(/^ready/);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
  });

  test('a frame event is a CloudEvent of the contract, persistent, and expires before its frame', async () => {
    await events.gotFrames('jpeg', 2);
    const validate = new Ajv().compile(FrameSampled);
    const received = events.received.filter(({ routingKey }) => routingKey === 'camera.jpeg.frame');
    assert.ok(received.length >= 2);
    for (const { event, properties } of received) {
      assert.ok(validate(event), JSON.stringify(validate.errors));
      assert.equal(properties.messageId, event.id);
      assert.equal(properties.contentType, 'application/cloudevents+json');
      assert.equal(properties.deliveryMode, 2);
      // Nine tenths of 30 s, from when the frame was stored.
      const lifeMs = Number(properties.expiration);
      assert.ok(lifeMs > 25_000 && lifeMs <= 27_000, String(lifeMs));
    }
  });

  for (const [camera, format, size] of [
    ['jpeg', 'jpeg', [1280, 720]],
    ['png', 'png', [160, 90]],
    ['webp', 'webp', [320, 180]],
  ] as const)
    test(`${format} pictures match their key and look like their source`, async () => {
      const [frame] = (await events.gotFrames(camera, 3)).slice(-1);
      assert.ok(frame);
      assert.equal(
        frame.key,
        `${namespace}:frame:${camera}:${frame.capturedAt}:${size[0]}x${size[1]}:${format}`,
      );
      const ttlMs = await withRedis((redis) => redis.pttl(frame.key));
      assert.ok(ttlMs > 20_000 && ttlMs <= 30_000, `lifetime ${ttlMs} ms`);
      const bytes = await getdel(frame.key);
      assert.ok(bytes);
      const picture = await look(bytes);
      assert.equal(picture.format, format);
      assert.deepEqual([picture.width, picture.height], size);
      // Mean colour of ffmpeg's HD colour bars.
      picture.rgb.forEach((value, i) =>
        assert.ok(Math.abs(value - (BARS_RGB[i] ?? 0)) <= 6, `mean colour ${String(picture.rgb)}`),
      );
      assert.equal(await getdel(frame.key), null, 'a frame that was taken is gone');
    });

  test('the latest key points at the newest frame', async () => {
    await events.gotFrames('jpeg', 3);
    const announced = newest('jpeg');
    const latest = await withRedis((redis) => redis.get(`${namespace}:latest:jpeg`));
    const find = () => events.frames('jpeg').find(({ key }) => key === latest);
    await waitUntil('the frame it points at is announced', () => find() !== undefined);
    assert.ok((find()?.sequence ?? 0) >= announced);
  });

  test('rates of 4 and 0.5 a second are met, in order', async () => {
    for (const camera of ['fast', 'slow']) {
      const live = () => events.frames(camera).filter(({ delayed }) => !delayed);
      await waitUntil(`live frames of ${camera}`, () => live().length >= 4);
      const sequences = live().map(({ sequence }) => sequence);
      assert.deepEqual(
        sequences,
        sequences.map((_, i) => (sequences[0] ?? 0) + i),
      );
    }
    const [{ capturedAt, sequence } = { capturedAt: 0, sequence: 0 }] = events.frames('fast');
    assert.ok(Math.abs(sequence - Math.floor(capturedAt / 250)) <= 1);
  });

  test('a disabled camera sends nothing', () => {
    assert.deepEqual(events.frames('off'), []);
    assert.deepEqual(events.states('off'), []);
  });

  test('a camera killed by SIGKILL restarts automatically, and the others miss nothing', async () => {
    const [pid, last] = [await daemon.actorPid('camera:jpeg'), newest('jpeg')];
    process.kill(pid, 'SIGKILL');
    const later = () => events.frames('jpeg').filter(({ sequence }) => sequence > last + 1).length;
    await waitUntil('the camera announces again', () => later() >= 3, 15_000);
    assert.notEqual(await daemon.actorPid('camera:jpeg'), pid);
    await events.gotEverySecond('png', 6);
  });

  for (const actor of ['store', 'notifier'])
    test(`the ${actor} killed by SIGKILL restarts automatically, and no frame is lost`, async () => {
      const [pid, last] = [await daemon.actorPid(actor), newest('jpeg')];
      process.kill(pid, 'SIGKILL');
      await events.gotEverySecond('jpeg', 5, { afterSequence: last, deadlineMs: 20_000 });
      assert.notEqual(await daemon.actorPid(actor), pid);
    });

  test('SIGTERM stops everything in order: exit 0, no process left, no undelivered frame, no later event', async () => {
    const spool = path.join(daemon.dataDir, 'spool');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    const left = readdirSync(spool).flatMap((camera) => readdirSync(path.join(spool, camera)));
    assert.deepEqual(left, []);
    const seen = events.received.length;
    await daemon.stop();
    assert.equal(events.received.length, seen);
  });
});

/** Mean of smptehdbars, measured on ffmpeg 5.1 and the same for all sizes. */
const BARS_RGB = [101, 106, 103];
