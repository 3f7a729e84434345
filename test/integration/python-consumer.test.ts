/** The Python package on real servers: how its loop, its threads and its event loop process frames. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { frameExchange, routingKey, type Frame } from '../../src/consumer';
import { DELIVERY_LIMIT, LIFE_MS, redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { run, waitUntil as until } from '../../lab/process';
import { startPython } from '../../lab/python-consumer';

const endpoints = { amqp: servers.amqpUrl, redis: servers.redisUrl };

/** A stage, and a consumer of its queue. */
async function staged(t: TestContext) {
  const stage = await Stage.open(t);
  const consume = (options: object = {}) =>
    startPython(t, { endpoints, queue: stage.queue, delivery_limit: DELIVERY_LIMIT, ...options });
  const sendFrom = async (camera: string): Promise<Frame> => {
    const bytes = await picture('jpeg');
    const frame = stage.frame(bytes, 'jpeg', camera);
    await redis.set(stage.key(frame), bytes, 'PX', LIFE_MS);
    stage.announce(frame);
    return frame;
  };
  const left = async () => (await redis.keys(`${stage.namespace}:frame:*`)).length;
  return { stage, consume, sendFrom, left };
}

/** The headers of the only message of a queue. */
async function onlyHeaders(stage: Stage, queue: string): Promise<Record<string, unknown>> {
  await until(`a message is in ${queue}`, async () => (await stage.waiting(queue)) === 1);
  const message = await stage.channel.get(queue, { noAck: true });
  assert.ok(message !== false);
  return message.properties.headers ?? {};
}

describe('frames() in Python', { concurrency: true }, () => {
  for (const way of ['loop', 'threads', 'async'])
    it(`${way}: each frame comes once, in order, as it was stored; "after" removes it; nothing is left`, async (t) => {
      const { stage, consume, sendFrom, left } = await staged(t);
      const sent: string[] = [];
      for (let i = 0; i < 20; i += 1) sent.push(stage.key(await sendFrom('gate')));
      const consumer = await consume({ way });
      await consumer.until('processed', 20);
      assert.deepEqual(
        consumer.of('frame').map(({ key }) => key),
        sent,
      );
      assert.deepEqual(consumer.of('fault'), []);
      assert.equal(await left(), 0);
      await until('the queue is empty', async () => (await stage.waiting()) === 0);
      assert.equal(await stage.waiting(stage.dead), 0);
    });

  it('"keep" leaves each frame to the other services', async (t) => {
    const { consume, sendFrom, left } = await staged(t);
    await sendFrom('gate');
    const consumer = await consume({ removal: 'keep' });
    await consumer.until('processed', 1);
    assert.equal(await left(), 1);
  });

  it('"getdel" has removed the frame before the work, and gives none out again', async (t) => {
    const { stage, consume, sendFrom, left } = await staged(t);
    await sendFrom('gate');
    const consumer = await consume({ removal: 'getdel', behaviour: { raise: 'value' } });
    await consumer.until('failed', 1);
    assert.equal(await left(), 0);
    assert.equal(consumer.of('frame').length, 1);
    assert.match(
      String((await onlyHeaders(stage, stage.dead))['x-vigil-reason']),
      /handler failed: ValueError/,
    );
  });

  it('a frame that was announced twice is processed once, whatever the mode', async (t) => {
    const { stage, consume, sendFrom } = await staged(t);
    const frame = await sendFrom('gate');
    const consumer = await consume({ removal: 'keep' });
    await consumer.until('processed', 1);
    stage.announce(frame);
    const next = await sendFrom('gate');
    await consumer.until('processed', 2);
    assert.deepEqual(
      consumer.of('frame').map(({ key }) => key),
      [stage.key(frame), stage.key(next)],
    );
  });

  it('an expired frame is acknowledged and counted', async (t) => {
    const { stage, consume } = await staged(t);
    stage.announce(stage.frame(await picture('jpeg')));
    const consumer = await consume();
    await consumer.until('expired', 1);
    assert.equal(consumer.of('fault')[0]?.code, 'expired');
    await until('it is acknowledged', async () => (await stage.waiting()) === 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('passes on the trace context of a message if it is valid', async (t) => {
    const { stage, consume } = await staged(t);
    const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    for (const traceparent of [parent, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'x\r\ny', 7]) {
      const frame = stage.frame(await picture('jpeg'));
      await redis.set(stage.key(frame), await picture('jpeg'), 'PX', LIFE_MS);
      const headers = { traceparent };
      const exchange = frameExchange(stage.namespace);
      stage.channel.publish(exchange, routingKey('gate', 'frame'), stage.announcement(frame), { headers });
    }
    const consumer = await consume();
    await consumer.until('processed', 4);
    assert.deepEqual(
      consumer.of('frame').map(({ traceparent }) => traceparent),
      [parent, null, null, null],
    );
  });

  for (const way of ['threads', 'tasks'])
    it(`${way} work on cameras side by side, and on the frames of one in order`, async (t) => {
      const { consume, sendFrom } = await staged(t);
      for (let i = 0; i < 6; i += 1) for (const camera of ['one', 'two', 'three']) await sendFrom(camera);
      const consumer = await consume({
        way,
        concurrency: 3,
        prefetch: 9,
        behaviour: { sleepS: 0.1 },
      });
      await consumer.until('processed', 18);
      let most = 0;
      const inHand = new Set<string>();
      for (const { kind, camera = '' } of consumer.events) {
        if (kind === 'frame') {
          assert.ok(!inHand.has(camera), 'one frame of a camera at a time');
          inHand.add(camera);
        }
        if (kind === 'done') inHand.delete(camera);
        most = Math.max(most, inHand.size);
      }
      assert.ok(most > 1, 'several cameras at a time');
      for (const camera of ['one', 'two', 'three']) {
        const keys = consumer
          .of('frame')
          .flatMap((event) => (event.camera === camera ? [event.key ?? ''] : []));
        assert.deepEqual(keys, [...keys].sort());
      }
    });

  it('latest_only skips to the newest frame of each camera, and acknowledges and removes the others', async (t) => {
    const { stage, consume, sendFrom, left } = await staged(t);
    const newest = new Map<string, string>();
    const consumer = await consume({ latest_only: true, behaviour: { sleepS: 0.3 } });
    for (let i = 0; i < 20; i += 1)
      for (const camera of ['one', 'two']) newest.set(camera, stage.key(await sendFrom(camera)));
    await until('all are settled', () => consumer.of('settled').length === 40);
    assert.equal(consumer.settled('processed') + consumer.settled('overtaken'), 40);
    assert.ok(consumer.settled('processed') < 20, `${consumer.settled('processed')} were worked on`);
    const last = consumer.of('frame').slice(-2);
    assert.deepEqual(last.map(({ key }) => key).sort(), [...newest.values()].sort());
    assert.equal(await left(), 0);
    await until('the queue is empty', async () => (await stage.waiting()) === 0);
  });

  it('image() returns the pixels of every format as a numpy array, rows by columns by colours', async (t) => {
    const { stage, consume } = await staged(t);
    const [folder, source] = [
      await temporaryFolder(t),
      ['-f', 'lavfi', '-i', 'color=red:s=64x48', '-frames:v', '1'],
    ];
    for (const format of ['jpeg', 'png', 'webp'] as const) await stage.send(format);
    for (const format of ['h264', 'h265'] as const) {
      const file = path.join(folder, `red.${format}`);
      await run('ffmpeg', ['-v', 'error', ...source, '-c:v', format.replace('h', 'libx'), file]);
      const keyframe = await readFile(file);
      const frame = stage.frame(keyframe, format);
      await redis.set(stage.key(frame), keyframe, 'PX', LIFE_MS);
      stage.announce(frame);
    }
    const consumer = await consume({ behaviour: { image: true } });
    await consumer.until('processed', 5);
    const images = consumer.of('image') as { shape?: unknown; pixel?: number[] }[];
    assert.deepEqual(
      images.map(({ shape }) => shape),
      Array.from({ length: 5 }, () => [48, 64, 3]),
    );
    for (const { pixel: [red = 0, green = 0, blue = 0] = [] } of images.slice(3))
      assert.ok(red > 240 && green < 15 && blue < 15, `${red} ${green} ${blue}`);
  });
});

describe('a dead letter of a Python consumer', { concurrency: true }, () => {
  it('has the reason in x-vigil-reason for a message that is not an announcement', async (t) => {
    const { stage, consume } = await staged(t);
    stage.publish(Buffer.from('{"type": "vigil.frame.sampled.v1"}'));
    const consumer = await consume();
    const headers = await onlyHeaders(stage, stage.dead);
    assert.equal(headers['x-vigil-code'], 'invalid-message');
    assert.match(String(headers['x-vigil-reason']), /^a message is not a frame announcement: event\//);
    await until('it is reported', () => consumer.of('fault').length === 1);
    await until('it is acknowledged', async () => (await stage.waiting()) === 0);
  });

  it('has the reason in x-vigil-reason for a damaged picture', async (t) => {
    const { stage, consume } = await staged(t);
    await stage.send('jpeg', (await picture('jpeg')).subarray(0, 60));
    const consumer = await consume({ behaviour: { image: true } });
    await consumer.until('rejected', 1);
    const headers = await onlyHeaders(stage, stage.dead);
    assert.equal(headers['x-vigil-code'], 'undecodable');
    assert.match(String(headers['x-vigil-reason']), /jpeg picture/);
  });

  it('has the reason in x-vigil-reason for a frame whose handler fails each time', async (t) => {
    const { stage, consume, sendFrom } = await staged(t);
    await sendFrom('gate');
    const consumer = await consume({ behaviour: { raise: 'value' } });
    await consumer.until('failed', DELIVERY_LIMIT + 1);
    const headers = await onlyHeaders(stage, stage.dead);
    assert.equal(headers['x-vigil-code'], 'handler-failed');
    assert.equal(headers['x-vigil-reason'], 'its handler failed: ValueError: as it was told');
    assert.equal(consumer.of('frame').length, DELIVERY_LIMIT + 1);
  });

  it('does not arise if the dead-letter exchange is missing: RabbitMQ drops the message as requested', async (t) => {
    const { stage, consume } = await staged(t);
    await stage.channel.deleteExchange(stage.dead);
    stage.publish(Buffer.from('no announcement'));
    const consumer = await consume();
    await until('it is reported', () => consumer.of('fault').length === 1);
    await until(
      'it is settled',
      async () => (await stage.channel.checkQueue(stage.queue)).messageCount === 0,
    );
    const frame = await stage.send();
    await consumer.until('processed', 1);
    assert.equal(consumer.of('frame')[0]?.key, stage.key(frame));
  });
});
