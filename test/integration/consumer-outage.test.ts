/** Outages of a consumer's real servers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import type { ConsumedFrame } from '../../src/consumer';
import { servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { PrivateRedis } from '../../lab/private-redis';
import { waitUntil as until } from '../../lab/process';
import { Wire } from '../../lab/wire';
import { freePort } from '../../lab/free-port';

describe('an outage', { concurrency: true }, () => {
  it('of Redis returns the frame to the queue, is reported once, and passes without a loss', async (t) => {
    const stage = await Stage.open(t);
    const store = new PrivateRedis(await freePort(), await temporaryFolder(t));
    await store.start();
    t.after(() => store.stop('SIGKILL'));
    const client = new Redis(store.url, { retryStrategy: null });
    const bytes = await picture('jpeg');
    const frame = stage.frame(bytes);
    await client.set(stage.key(frame), bytes);
    client.disconnect();

    const handled: string[] = [];
    const handler = ({ event }: ConsumedFrame) => void handled.push(event.data.key);
    const consumer = await stage.consume(t, handler, { redisUrl: store.url });
    await until('it consumes', () => stage.starts === 1);
    await store.stop();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    await until(
      'nothing is taken',
      async () => (await stage.channel.checkQueue(stage.queue)).consumerCount === 0,
    );
    stage.announce(frame);
    await until('the frame waits in the queue', async () => (await stage.waiting()) === 1);
    assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 0, failed: 0 });
    await store.start();
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(handled, [stage.key(frame)]);
    assert.deepEqual(stage.codes(), ['redis-unreachable']);
    assert.equal(stage.starts, 2);
  });

  it('of Redis during a retrieval keeps the frame until it is over', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.redisUrl);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: url });
    await until('it consumes', () => stage.starts === 1);
    wire.silent = true;
    await stage.send();
    await until('the retrieval is in flight', () => wire.swallowed > 0);
    wire.cut();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    wire.silent = false;
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
    assert.deepEqual(stage.codes(), ['redis-unreachable']);
  });

  it('of a Redis that falls silent is detected when a retrieval gets no answer', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.redisUrl);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: url });
    await until('it consumes', () => stage.starts === 1);
    wire.silent = true;
    await stage.send();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    wire.silent = false;
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
  });

  it('of RabbitMQ ends with a new connection; frames finished meanwhile are acknowledged and not processed again', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const work = { starts: 0, release: (): void => undefined };
    const handler = async () => {
      work.starts += 1;
      if (work.starts === 1) await new Promise<void>((resolve) => (work.release = resolve));
    };
    const consumer = await stage.consume(t, handler, { amqpUrl: url, removal: 'keep' });
    await stage.send();
    await until('the handler is at work', () => work.starts === 1);
    wire.cut();
    await until('the outage is reported', () => stage.codes().includes('rabbitmq-unreachable'));
    work.release();
    await until('it consumes again', () => stage.starts === 2);
    await stage.send();
    await until('the next frame is processed', () => consumer.counters.processed === 2);
    assert.equal(work.starts, 2);
    assert.deepEqual(stage.codes(), ['rabbitmq-unreachable']);
    await consumer.close();
    assert.equal(await stage.waiting(), 0);
  });

  it('due to a missing queue is reported once and ends when the queue is declared', async (t) => {
    const stage = await Stage.open(t);
    await stage.channel.deleteQueue(stage.queue);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const consumer = await stage.consume(t, () => undefined, { amqpUrl: url });
    await until('it has tried three times', () => wire.connections >= 3);
    assert.deepEqual(stage.codes(), ['queue-missing']);
    assert.match(stage.faults[0]?.message ?? '', new RegExp(stage.queue));
    await stage.declare();
    await stage.send();
    await until('the frame is processed', () => consumer.counters.processed === 1);
  });

  it('due to a deleted queue is detected while nothing else happens', async (t) => {
    const stage = await Stage.open(t);
    await stage.consume(t, () => undefined);
    await until('it consumes', () => stage.starts === 1);
    await stage.channel.deleteQueue(stage.queue);
    await until('it is reported', () => stage.codes().includes('queue-missing'));
    await stage.declare();
    await until('it consumes again', () => stage.starts === 2);
  });

  it('due to wrong credentials is reported without them', async (t) => {
    const stage = await Stage.open(t);
    const wrong = (url: string) => {
      const changed = new URL(url);
      changed.username = 'intruder';
      changed.password = 'hush:h%2Fush';
      return changed.href;
    };
    const options = { amqpUrl: servers.amqpUrl, redisUrl: wrong(servers.redisUrl) };
    await stage.consume(t, () => undefined, options);
    await stage.consume(t, () => undefined, { amqpUrl: wrong(servers.amqpUrl) });
    await until('both are reported', () => stage.faults.length >= 2);
    assert.deepEqual(stage.codes().sort(), ['rabbitmq-refused', 'redis-refused']);
    assert.doesNotMatch(JSON.stringify(stage.faults), /hush|intruder/);
  });
});
