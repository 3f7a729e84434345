/** The Python package when servers fail, disks fill, frames kill or work takes long: no frame is lost or blamed. */
import assert from 'node:assert/strict';
import { rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { DELIVERY_LIMIT, LIFE_MS, redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { waitUntil as until } from '../../lab/process';
import { startPython } from '../../lab/python-consumer';
import { Wire } from '../../lab/wire';
import { startRefusingRedis } from '../../lab/refusing-redis';

const endpoints = { amqp: servers.amqpUrl, redis: servers.redisUrl };

describe('a Python consumer', { concurrency: 4 }, () => {
  it('whose disk is full pauses, says why once, and blames no frame', async (t) => {
    const stage = await Stage.open(t);
    const file = path.join(await temporaryFolder(t), 'file');
    await symlink('/dev/full', file);
    for (let i = 0; i < 6; i += 1) await stage.send();
    const consumer = await startPython(t, {
      ...{ endpoints, queue: stage.queue, delivery_limit: DELIVERY_LIMIT, behaviour: { file } },
    });
    // More attempts than a frame has deliveries.
    await until('it has tried', () => consumer.of('frame').length > 2 * DELIVERY_LIMIT + 2);
    assert.deepEqual(
      consumer.of('fault').map(({ code }) => code),
      ['paused'],
    );
    assert.match(consumer.of('fault')[0]?.message ?? '', /^consuming pauses: .*No space left on device/);
    await rm(file);
    await consumer.until('processed', 6);
    assert.equal(consumer.settled('failed'), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.ok(!consumer.of('frame').some(({ redelivered }) => redelivered), 'a pause costs no delivery');
    await until('consuming resumes', () => consumer.of('consuming').length > 1);
  });

  it('without ffmpeg pauses at a keyframe, and continues when there is one', async (t) => {
    const stage = await Stage.open(t);
    const ffmpeg = path.join(await temporaryFolder(t), 'ffmpeg');
    const bytes = Buffer.from('0000000165010203', 'hex');
    const frame = stage.frame(bytes, 'h264');
    await redis.set(stage.key(frame), bytes, 'PX', LIFE_MS);
    stage.announce(frame);
    const consumer = await startPython(t, {
      endpoints,
      queue: stage.queue,
      ffmpeg,
      behaviour: { image: true },
    });
    await until('it says so', () => consumer.of('fault').some(({ code }) => code === 'no-ffmpeg'));
    await symlink('/usr/bin/ffmpeg', ffmpeg);
    // The bytes are not a picture.
    await consumer.until('rejected', 1);
  });

  it('with a Redis that refuses writes costs no frame a delivery', async (t) => {
    const stage = await Stage.open(t);
    const store = await startRefusingRedis(t);
    const { client } = store;
    for (let i = 0; i < 6; i += 1) await stage.send('jpeg', undefined, client);
    await store.refuse();
    const consumer = await startPython(t, {
      endpoints: { ...endpoints, redis: store.url },
      ...{ queue: stage.queue, removal: 'getdel', delivery_limit: DELIVERY_LIMIT },
    });
    await until('it is reported', () => consumer.of('fault').length > 0);
    assert.equal(consumer.of('fault')[0]?.code, 'redis-refused');
    await store.relent();
    await consumer.until('processed', 6);
    assert.equal(consumer.settled('failed') + consumer.settled('expired'), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('survives the loss of each server, and processes no frame twice because of it', async (t) => {
    const stage = await Stage.open(t);
    const amqp = await Wire.open(t, servers.amqpUrl);
    const store = await Wire.open(t, servers.redisUrl);
    const consumer = await startPython(t, {
      endpoints: { amqp: amqp.url, redis: store.url },
      ...{ queue: stage.queue, removal: 'keep', behaviour: { sleepS: 0.02 } },
    });
    const sent: string[] = [];
    const send = async (count: number) => {
      for (let i = 0; i < count; i += 1) sent.push(stage.key(await stage.send()));
    };
    await send(20);
    await consumer.until('processed', 5);
    amqp.wire.cut();
    await send(20);
    await consumer.until('processed', 25);
    store.wire.cut();
    await send(20);
    await until('all are done', () => new Set(consumer.of('done').map(({ key }) => key)).size === 60);
    assert.deepEqual(
      consumer
        .of('done')
        .map(({ key }) => key)
        .sort(),
      sent.sort(),
    );
    assert.ok(consumer.of('fault').some(({ code }) => code === 'rabbitmq-unreachable'));
    assert.equal(consumer.settled('failed'), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('reads endpoints.json before each connection, waits for a queue, and reports what is missing', async (t) => {
    const stage = await Stage.open(t);
    const file = path.join(await temporaryFolder(t), 'endpoints.json');
    const consumer = await startPython(t, { endpoints: file, queue: stage.queue });
    await until('the file is missing', () => consumer.of('fault').length > 0);
    assert.match(consumer.of('fault')[0]?.message ?? '', /endpoints\.json cannot be read: No such file/);
    const password = new URL(servers.amqpUrl);
    password.password = 'hush';
    await writeFile(file, JSON.stringify({ ...endpoints, amqp: password.href }));
    await until('the broker refuses', () =>
      consumer.of('fault').some(({ code }) => code === 'rabbitmq-refused'),
    );
    await stage.channel.deleteQueue(stage.queue);
    await writeFile(file, JSON.stringify(endpoints));
    await until('the queue is missing', () =>
      consumer.of('fault').some(({ code }) => code === 'queue-missing'),
    );
    await stage.declare();
    await stage.send();
    await consumer.until('processed', 1);
    assert.doesNotMatch(JSON.stringify(consumer.events), /hush/);
  });

  it('that computes for longer than many heartbeats keeps its connection', async (t) => {
    const stage = await Stage.open(t);
    await stage.send();
    const amqp = `${servers.amqpUrl}?heartbeat=1`;
    const consumer = await startPython(t, {
      ...{ endpoints: { ...endpoints, amqp }, queue: stage.queue, behaviour: { sleepS: 6 } },
    });
    await consumer.until('processed', 1);
    await until('it is acknowledged', async () => (await stage.waiting()) === 0);
    assert.deepEqual(consumer.of('fault'), []);
    assert.equal(consumer.of('consuming').length, 1);
  });

  it('that is killed by a frame makes that frame alone a dead letter', async (t) => {
    const stage = await Stage.open(t);
    const frames = [];
    for (let i = 0; i < 12; i += 1) frames.push(stage.key(await stage.send()));
    const poison = frames[5];
    const done = new Set<string>();
    const start = async () => {
      const consumer = await startPython(t, { endpoints, queue: stage.queue, behaviour: { poison } });
      await until('it has died, or all is done', async () => {
        for (const { key = '' } of consumer.of('done')) done.add(key);
        return (
          consumer.process.exit() !== undefined ||
          (done.size === 11 && (await stage.waiting(stage.dead)) === 1)
        );
      });
      // A process that has died no longer receives the signal.
      consumer.process.signal('SIGTERM');
      return (await consumer.process.exited).signal === 'SIGKILL';
    };
    let deaths = 0;
    while (await start()) deaths += 1;
    assert.equal(deaths, DELIVERY_LIMIT + 1);
    assert.equal(done.size, 11);
    assert.equal(await stage.waiting(stage.dead), 1);
  });

  for (const way of ['loop', 'threads', 'tasks'])
    it(`that is asked to end (${way}) finishes the current frame and leaves the others`, async (t) => {
      const stage = await Stage.open(t);
      for (let i = 0; i < 5; i += 1) await stage.send();
      const consumer = await startPython(t, { endpoints, queue: stage.queue, way, behaviour: { sleepS: 1 } });
      await until('a frame is in hand', () => consumer.of('frame').length === 1);
      consumer.process.signal('SIGTERM');
      assert.deepEqual(await consumer.process.exited, { code: 0, signal: null });
      assert.equal(consumer.of('done').length, 1);
      assert.equal(consumer.events.at(-1)?.kind, 'ended');
      await until('four are left', async () => (await stage.waiting()) === 4);
    });
});
