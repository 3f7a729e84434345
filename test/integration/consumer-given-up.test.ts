/** Frames given up carry a reason; frames of a camera stay in order; finished frames and traces are passed on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  frameExchange,
  routingKey,
  type ConsumedFrame,
  type SettledFrame,
  type TraceContext,
} from '../../src/consumer';
import { DELIVERY_LIMIT, LIFE_MS, redis, servers, Stage } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';
import { Wire } from '../../lab/wire';

/** The headers of the only dead letter. */
async function deadHeaders(stage: Stage): Promise<Record<string, unknown>> {
  await until('there is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
  const message = await stage.channel.get(stage.dead, { noAck: true });
  assert.ok(message !== false);
  return message.properties.headers ?? {};
}

describe('a dead letter of the consumer kit', { concurrency: true }, () => {
  it('has the reason in x-vigil-reason if it is not an announcement', async (t) => {
    const stage = await Stage.open(t);
    stage.publish(Buffer.from('{"specversion":"1.0"}'));
    await stage.consume(t, () => undefined);
    const headers = await deadHeaders(stage);
    assert.equal(headers['x-vigil-code'], 'invalid-message');
    assert.match(String(headers['x-vigil-reason']), /^a message is not a frame announcement: event/);
  });

  for (const [what, removal, error, reason] of [
    ['a picture that does not decode', 'after', { code: 'undecodable' }, /: as it was told$/],
    ['a handler that failed after GETDEL', 'getdel', {}, /its handler failed: as it was told$/],
    ['a handler that fails each time', 'after', {}, /its handler failed: as it was told$/],
  ] as const)
    it(`has the reason in x-vigil-reason for ${what} (${removal})`, async (t) => {
      const stage = await Stage.open(t);
      await stage.send();
      const failing = () => {
        throw Object.assign(new Error('as it was told'), error);
      };
      const consumer = await stage.consume(t, failing, { removal, deliveryLimit: DELIVERY_LIMIT });
      const headers = await deadHeaders(stage);
      assert.match(String(headers['x-vigil-reason']), reason);
      const expected = what.endsWith('each time') ? DELIVERY_LIMIT + 1 : 1;
      assert.equal(consumer.counters.failed, expected);
      await until('it is acknowledged', async () => (await stage.waiting()) === 0);
    });

  it('is moved by RabbitMQ without a reason if it cannot be published', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    wire.withholds = (data) => data.includes('x-vigil-reason');
    stage.publish(Buffer.from('no announcement'));
    await stage.consume(t, () => undefined, { amqpUrl: url });
    const headers = await deadHeaders(stage);
    assert.equal(headers['x-vigil-reason'], undefined);
    assert.equal(headers['x-first-death-reason'], 'rejected');
  });
});

describe('the consumer kit', { concurrency: true }, () => {
  it('with "ordered" works on cameras side by side, and on the frames of one in order, even while it pauses', async (t) => {
    const stage = await Stage.open(t);
    const bytes = await picture('jpeg');
    for (let i = 0; i < 6; i += 1)
      for (const camera of ['one', 'two', 'three']) {
        const frame = stage.frame(bytes, 'jpeg', camera);
        await redis.set(stage.key(frame), bytes, 'PX', LIFE_MS);
        stage.announce(frame);
      }
    const inHand = new Set<string>();
    const done: ConsumedFrame[] = [];
    let [most, troubles] = [0, 0];
    const handler = async (frame: ConsumedFrame) => {
      const { camera } = frame.event.data;
      assert.ok(!inHand.has(camera), 'one frame of a camera at a time');
      inHand.add(camera);
      most = Math.max(most, inHand.size);
      await sleep(20);
      inHand.delete(camera);
      if (camera === 'two' && troubles++ < 2) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      done.push(frame);
    };
    const consumer = await stage.consume(t, handler, { ordered: true, prefetch: 9 });
    await until('all are done', () => consumer.counters.processed === 18);
    assert.equal(consumer.counters.failed, 0);
    assert.ok(most > 1, 'several cameras at a time');
    for (const camera of ['one', 'two', 'three']) {
      const times = done.map(({ event }) => event.data).filter((data) => data.camera === camera);
      const captured = times.map(({ capturedAt }) => capturedAt);
      assert.deepEqual(
        captured,
        [...captured].sort((a, b) => a - b),
      );
    }
  });

  it('processes a frame that was announced twice only once, and reports each frame that is finished', async (t) => {
    const stage = await Stage.open(t);
    const settled: SettledFrame[] = [];
    const onSettled = (frame: SettledFrame) => void settled.push(frame);
    const consumer = await stage.consume(t, () => sleep(30), { removal: 'keep', onSettled });
    const frame = await stage.send();
    await until('it is done', () => consumer.counters.processed === 1);
    stage.announce(frame);
    stage.announce(stage.frame(await picture('jpeg')));
    await until('all three are reported', () => settled.length === 3);
    assert.deepEqual(
      settled.map(({ outcome }) => outcome),
      ['processed', 'repeated', 'expired'],
    );
    const [first] = settled;
    assert.equal(first?.key, stage.key(frame));
    assert.ok(first.workMs >= 29 && first.waitMs >= 0 && first.ageMs > 0, JSON.stringify(first));
  });

  it('passes on the trace context of a message if it is valid', async (t) => {
    const stage = await Stage.open(t);
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const found: TraceContext[] = [];
    const contexts = [
      { traceparent, tracestate: 'a=1' },
      { traceparent: traceparent.replace('00f067aa0ba902b7', '0'.repeat(16)) },
      { traceparent: 'x\r\ny', tracestate: 'a=1' },
    ];
    for (const headers of contexts) {
      const frame = stage.frame(await picture('jpeg'));
      await redis.set(stage.key(frame), 'picture', 'PX', LIFE_MS);
      const exchange = frameExchange(stage.namespace);
      stage.channel.publish(exchange, routingKey('gate', 'frame'), stage.announcement(frame), { headers });
    }
    const consumer = await stage.consume(t, ({ trace }) => void found.push(trace), { prefetch: 1 });
    await until('all are done', () => consumer.counters.processed === 3);
    assert.deepEqual(found, [contexts[0], {}, {}]);
  });
});
