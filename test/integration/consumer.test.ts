/** How a consumer handles frames and invalid messages, with a real Redis and a real RabbitMQ. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  consumeFrames,
  ConsumerError,
  decodeFrame,
  type ConsumedFrame,
  type ConsumerOptions,
  type FrameHandler,
  type Removal,
} from '../../src/consumer';
import { frameSampled } from '../../src/contract/events';
import { DELIVERY_LIMIT, redis, servers, Stage } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';

describe('a frame', { concurrency: true }, () => {
  for (const format of ['jpeg', 'png', 'webp'] as const)
    it(`in ${format} reaches the handler as it was stored, can be decoded, and leaves Redis and the queue`, async (t) => {
      const stage = await Stage.open(t);
      const seen: ConsumedFrame[] = [];
      const consumer = await stage.consume(t, (frame) => void seen.push(frame));
      const frame = await stage.send(format);
      await until('the frame is processed', () => consumer.counters.processed === 1);

      const [{ event, bytes, redelivered }] = seen as [ConsumedFrame];
      assert.deepEqual(event, frameSampled(stage.namespace, frame, false, frame.capturedAt));
      assert.deepEqual(bytes, await picture(format));
      assert.equal(redelivered, false);
      const { data, ...shape } = await decodeFrame(bytes, format);
      assert.deepEqual(shape, { width: 64, height: 48, channels: 3 });
      assert.equal(data.length, 64 * 48 * 3);
      [250, 130, 20].forEach((value, i) =>
        assert.ok(Math.abs((data[i] ?? 0) - value) <= 4, `${String(data[i])} is not ${value}`),
      );
      await consumer.close();
      assert.equal(await redis.exists(stage.key(frame)), 0);
      assert.equal(await stage.waiting(), 0);
      assert.equal(await stage.waiting(stage.dead), 0);
      assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
      assert.deepEqual(stage.faults, []);
    });

  const removals: readonly { removal: Removal; during: number; afterwards: number }[] = [
    { removal: 'after', during: 1, afterwards: 0 },
    { removal: 'getdel', during: 0, afterwards: 0 },
    { removal: 'keep', during: 1, afterwards: 1 },
  ];
  for (const { removal, during, afterwards } of removals)
    it(`is in Redis ${during} times during the work and ${afterwards} after it with "${removal}"`, async (t) => {
      const stage = await Stage.open(t);
      const found: number[] = [];
      const handler = async ({ event }: ConsumedFrame) => void found.push(await redis.exists(event.data.key));
      const consumer = await stage.consume(t, handler, { removal });
      const frame = await stage.send();
      await until('the frame is processed', () => consumer.counters.processed === 1);
      await consumer.close();
      assert.deepEqual(found, [during]);
      assert.equal(await redis.exists(stage.key(frame)), afterwards);
      assert.equal(await stage.waiting(), 0);
    });

  it('that has expired is acknowledged, counted, reported, and never retried', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, () => assert.fail('the handler was called'));
    const frame = stage.frame(await picture('jpeg'));
    stage.announce(frame);
    await until('it is counted', () => consumer.counters.expired === 1);
    await consumer.close();
    assert.deepEqual(consumer.counters, { processed: 0, expired: 1, invalid: 0, failed: 0 });
    assert.deepEqual(stage.codes(), ['expired']);
    assert.match(stage.faults[0]?.message ?? '', new RegExp(stage.key(frame)));
    assert.equal(await stage.waiting(), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('that is truncated is sent to the dead-letter queue after one delivery, in every format', async (t) => {
    const stage = await Stage.open(t);
    const handler: FrameHandler = async ({ event, bytes }) => {
      await decodeFrame(bytes, event.data.format);
    };
    const consumer = await stage.consume(t, handler);
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const whole = await picture(format);
      await stage.send(format, whole.subarray(0, Math.floor(whole.length * 0.7)));
    }
    await until('they are counted', () => consumer.counters.failed === 3);
    await until('they are dead letters', async () => (await stage.waiting(stage.dead)) === 3);
    await consumer.close();
    assert.equal(consumer.counters.processed, 0);
    assert.equal(
      stage.faults.reduce((sum, fault) => sum + fault.count, 0),
      3,
    );
    assert.deepEqual([...new Set(stage.codes())], ['undecodable']);
  });

  it('whose handler fails is redelivered, and becomes a dead letter at the delivery limit', async (t) => {
    const stage = await Stage.open(t);
    const redelivered: boolean[] = [];
    const consumer = await stage.consume(t, (frame) => {
      redelivered.push(frame.redelivered);
      throw new Error('no model is loaded');
    });
    const frame = await stage.send();
    await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    assert.deepEqual(redelivered, [false, ...Array.from({ length: DELIVERY_LIMIT }, () => true)]);
    assert.equal(consumer.counters.failed, DELIVERY_LIMIT + 1);
    assert.equal(await redis.exists(stage.key(frame)), 1);
    assert.equal(stage.faults[0]?.code, 'handler-failed');
    assert.match(stage.faults[0].message, /no model is loaded/);
  });

  it('whose handler fails once is processed at the second delivery', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, ({ redelivered }) => {
      if (!redelivered) throw new Error('once');
    });
    await stage.send();
    await until('it is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 1 });
  });

  it('that GETDEL has removed becomes a dead letter, without a retry, when its handler fails', async (t) => {
    const stage = await Stage.open(t);
    const handler = () => {
      throw new Error('too late');
    };
    const consumer = await stage.consume(t, handler, { removal: 'getdel' });
    await stage.send();
    await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 0, failed: 1 });
  });
});

describe('an invalid message', { concurrency: true }, () => {
  const valid = frameSampled(
    'ns',
    { camera: 'gate', capturedAt: 1, sequence: 0, width: 64, height: 48, format: 'jpeg', bytes: 9 },
    false,
    1,
  );
  const json = (change: object) => JSON.stringify({ ...valid, data: { ...valid.data, ...change } });
  const cases: readonly { what: string; body: string }[] = [
    { what: 'no JSON', body: '{' },
    { what: 'nothing', body: '' },
    { what: 'another type of event', body: JSON.stringify({ ...valid, type: 'vigil.camera.state.v1' }) },
    {
      what: 'a camera that is a path',
      body: json({ camera: '../../etc', key: 'ns:frame:../../etc:1:64x48:jpeg' }),
    },
    { what: 'a key that is none of a frame', body: json({ key: 'session:4711' }) },
    { what: 'a key of another camera', body: json({ key: 'ns:frame:yard:1:64x48:jpeg' }) },
    { what: 'more than 64 KB', body: json({ padding: 'x'.repeat(70_000) }) },
  ];
  for (const { what, body } of cases)
    it(`with ${what} is sent to the dead-letter queue unopened`, async (t) => {
      const stage = await Stage.open(t);
      const consumer = await stage.consume(t, () => assert.fail('the handler was called'));
      stage.publish(Buffer.from(body));
      await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
      assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 1, failed: 0 });
      assert.deepEqual(stage.codes(), ['invalid-message']);
    });
});

describe('consumeFrames', () => {
  const usable = { ...servers, queue: 'any' };
  const unusable: readonly { what: string; options: ConsumerOptions }[] = [
    { what: 'a Redis URL of another scheme', options: { ...usable, redisUrl: 'http://user:hush@host' } },
    {
      what: 'a RabbitMQ URL that cannot be read',
      options: { ...usable, amqpUrl: 'amqp://user:hush/x@host' },
    },
    { what: 'a password that is not encoded', options: { ...usable, amqpUrl: 'amqp://user:hush%zz@host' } },
    { what: 'a prefetch of 0', options: { ...usable, prefetch: 0 } },
    { what: 'no queue', options: { ...usable, queue: '' } },
  ];
  for (const { what, options } of unusable)
    it(`refuses ${what}, without repeating it`, async () => {
      await assert.rejects(
        consumeFrames(options, () => undefined),
        (error) =>
          error instanceof ConsumerError &&
          error.code === 'invalid-option' &&
          !error.message.includes('hush'),
      );
    });

  it('processes no more frames at a time than "prefetch" allows', async (t) => {
    const stage = await Stage.open(t);
    const work = { now: 0, most: 0 };
    const handler = async () => {
      work.now += 1;
      work.most = Math.max(work.most, work.now);
      await sleep(5);
      work.now -= 1;
    };
    for (let i = 0; i < 20; i += 1) await stage.send();
    const consumer = await stage.consume(t, handler, { prefetch: 3 });
    await until('all are processed', () => consumer.counters.processed === 20);
    assert.equal(work.most, 3);
  });

  it('reports a burst of one fault once a second, with its count', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, () => undefined);
    const bytes = await picture('jpeg');
    for (let i = 0; i < 50; i += 1) stage.announce(stage.frame(bytes));
    await until('all are counted', () => consumer.counters.expired === 50);
    await consumer.close();
    assert.ok(stage.faults.length <= 3, `${stage.faults.length} reports`);
    assert.equal(
      stage.faults.reduce((sum, fault) => sum + fault.count, 0),
      50,
    );
  });
});
