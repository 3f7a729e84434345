/** Closing a consumer, with real servers. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFrameQueue } from '../../src/consumer/frame-queue';
import { readServerUrl } from '../../src/consumer/server-url';
import { redis, servers, Stage } from '../../lab/consumer-stage';
import { waitUntil as until } from '../../lab/process';
import { Wire } from '../../lab/wire';
import { freePort } from '../../lab/free-port';

describe('close', () => {
  let resources: string[];
  beforeEach(() => {
    resources = process.getActiveResourcesInfo();
  });

  const connections = async (stage: Stage) =>
    String(await redis.client('LIST'))
      .split('\n')
      .filter((line) => line.includes(`name=vigil-consumer:${stage.queue} `)).length;

  const openStage = async (t: TestContext) => {
    const stage = await Stage.open(t);
    resources = process.getActiveResourcesInfo();
    return stage;
  };

  /** Sockets and timers created since the test began, except those of its stage. */
  const left = () => {
    const count = (all: string[], type: string) => all.filter((each) => each === type).length;
    const now = process.getActiveResourcesInfo();
    return ['TCPSocketWrap', 'Timeout', 'TCPConnectWrap'].filter(
      (type) => count(now, type) > count(resources, type),
    );
  };

  it('waits for the frame being processed, and leaves no connection and no timer', async (t) => {
    const stage = await openStage(t);
    const work = { started: false, release: (): void => undefined };
    const consumer = await stage.consume(t, async () => {
      work.started = true;
      await new Promise<void>((resolve) => (work.release = resolve));
    });
    const frame = await stage.send();
    await until('the handler is at work', () => work.started);
    assert.equal(await connections(stage), 1);
    assert.ok((await stage.channel.checkQueue(stage.queue)).consumerCount > 0);

    const closed = consumer.close();
    await stage.send();
    await until('the next frame stays in the queue', async () => (await stage.waiting()) === 1);
    assert.equal(await connections(stage), 1);
    work.release();
    await closed;
    await until('sockets and timers have gone', () => left().length === 0);
    await until('Redis has noticed', async () => (await connections(stage)) === 0);
    await until(
      'RabbitMQ has noticed',
      async () => (await stage.channel.checkQueue(stage.queue)).consumerCount === 0,
    );
    assert.equal(consumer.counters.processed, 1);
    assert.equal(await stage.waiting(), 1);
    assert.equal(await redis.exists(stage.key(frame)), 0);
  });

  it('returns frames that are not done by the deadline to the queue', async (t) => {
    const stage = await openStage(t);
    const work = { started: false, release: (): void => undefined };
    const consumer = await stage.consume(t, async () => {
      work.started = true;
      await new Promise<void>((resolve) => (work.release = resolve));
    });
    await stage.send();
    await until('the handler is at work', () => work.started);
    await consumer.close(50);
    await until('sockets and timers have gone', () => left().length === 0);
    await until('the frame is back', async () => (await stage.waiting()) === 1);
    work.release();
  });

  it('is prompt while servers are away, while they are silent, and when called again', async (t) => {
    const stage = await openStage(t);
    const absent = `127.0.0.1:${await freePort()}`;
    const away = await stage.consume(t, () => undefined, { redisUrl: `redis://${absent}` });
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    const silent = await Wire.open(t, servers.amqpUrl);
    silent.wire.silent = true;
    const stuck = await stage.consume(t, () => undefined, { amqpUrl: silent.url });
    await until('it is connecting', () => silent.wire.swallowed > 0);
    const before = performance.now();
    await Promise.all([away.close(), stuck.close()]);
    await away.close();
    assert.ok(performance.now() - before < 1500, `${performance.now() - before} ms`);
    await until('the wire has closed', () => left().length === 0);
  });

  it('leaves nothing behind, at whatever moment of the start it is called', async (t) => {
    const stage = await openStage(t);
    const moments = Array.from({ length: 40 }, (_, i) => i * 2);
    await Promise.all(
      moments.map(async (ms) => {
        const consumer = await stage.consume(t, () => undefined);
        await sleep(ms);
        await consumer.close();
      }),
    );
    await until('sockets and timers have gone', () => left().length === 0);
    assert.equal(await connections(stage), 0);
    assert.deepEqual(stage.faults, []);
  });

  it('before the connection to RabbitMQ is begun prevents it', async (t) => {
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const server = readServerUrl('amqpUrl', url, ['amqp']);
    const options = { server, queue: 'any', onDelivery: () => undefined, onLost: () => undefined };
    await assert.rejects(openFrameQueue(options, AbortSignal.abort()), { code: 'rabbitmq-unreachable' });
    // A connection begun earlier would have arrived before this one.
    const later = net.connect(Number(new URL(url).port), '127.0.0.1');
    await until('a later connection has arrived', () => wire.connections > 0);
    later.destroy();
    assert.equal(wire.connections, 1);
  });

  it('is forced on a server that falls silent while consuming', async (t) => {
    const stage = await openStage(t);
    const [store, queue] = await Promise.all([Wire.open(t, servers.redisUrl), Wire.open(t, servers.amqpUrl)]);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: store.url, amqpUrl: queue.url });
    await until('it consumes', () => stage.starts === 1);
    store.wire.silent = true;
    queue.wire.silent = true;
    const before = performance.now();
    await consumer.close();
    assert.ok(performance.now() - before < 4000, `${performance.now() - before} ms`);
    await until('sockets and timers have gone', () => left().length === 0);
  });
});
