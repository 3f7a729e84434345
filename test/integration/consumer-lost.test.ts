/** A consumer that loses its connection to RabbitMQ, or dies: no frame is lost or handled twice. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { type ConsumedFrame } from '../../src/consumer';
import { redis, servers, Stage } from '../../lab/consumer-stage';
import { Wire } from '../../lab/wire';
import { waitUntil as until } from '../../lab/process';

describe('a lost connection to RabbitMQ', { concurrency: true }, () => {
  it('does not let more frames than "prefetch" be processed at a time, nor one twice', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const begun: string[] = [];
    const work = { now: 0, most: 0, release: (): void => undefined };
    const released = new Promise<void>((resolve) => (work.release = resolve));
    const handler = async ({ event }: ConsumedFrame) => {
      begun.push(event.data.key);
      work.now += 1;
      work.most = Math.max(work.most, work.now);
      await released;
      work.now -= 1;
    };
    for (let i = 0; i < 12; i += 1) await stage.send();
    const consumer = await stage.consume(t, handler, { amqpUrl: url, prefetch: 4 });
    for (const session of [1, 2]) {
      await until('it consumes, and four are at work', () => stage.starts === session && work.now === 4);
      wire.cut();
    }
    await until('it consumes for the third time', () => stage.starts === 3);
    await until('what is at work has come again', async () => (await stage.waiting()) < 12);
    work.release();
    await until('all are processed', () => consumer.counters.processed === 12);
    assert.equal(work.most, 4);
    assert.equal(new Set(begun).size, begun.length, 'no frame was worked on twice');
    assert.deepEqual(consumer.counters, { processed: 12, expired: 0, invalid: 0, failed: 0 });
    await consumer.close();
    assert.equal(await stage.waiting(), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('is also assumed if a node never answers for the queue', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    // Everything but heartbeats is withheld: the connection stays, as with a node cut off from its cluster.
    wire.withholds = (data) => /vigil-[0-9a-f]{8}-/.test(data.toString('latin1'));
    await stage.consume(t, () => undefined, { amqpUrl: url });
    await until('it is reported', () => stage.codes().includes('rabbitmq-unreachable'));
    assert.match(stage.faults[0]?.message ?? '', /did not answer for queue/);
    wire.withholds = () => false;
    await until('it consumes', () => stage.starts === 1);
  });
});

// Run alone: blocking the process would hold up any test beside it.
describe('a connection to RabbitMQ that is lost', () => {
  it('because a handler blocks this process does not make finished frames expire', async (t) => {
    const stage = await Stage.open(t);
    const url = new URL(servers.amqpUrl);
    url.searchParams.set('heartbeat', '1');
    let blocked = 0;
    const handler = () => {
      if (blocked++ > 0) return;
      const untilMs = performance.now() + 5000;
      while (performance.now() < untilMs);
    };
    const consumer = await stage.consume(t, handler, { amqpUrl: url.href, prefetch: 4 });
    for (let i = 0; i < 8; i += 1) await stage.send();
    await until('all are processed', () => consumer.counters.processed === 8);
    await until(
      'the queue is empty',
      async () => (await stage.channel.checkQueue(stage.queue)).messageCount === 0,
    );
    await until('it consumes again', () => stage.starts === 2);
    await consumer.close();
    assert.equal(await stage.waiting(), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.deepEqual(consumer.counters, { processed: 8, expired: 0, invalid: 0, failed: 0 });
    assert.match(stage.faults[0]?.message ?? '', /this process was held up for \d+ ms/);
  });
});

describe('a frame that kills its consumer', () => {
  it('becomes a dead letter alone: its neighbours are processed', async (t) => {
    const stage = await Stage.open(t);
    const frames = [];
    for (let i = 0; i < 30; i += 1) frames.push(await stage.send());
    const poison = stage.key(frames[9] ?? assert.fail());
    const fixture = path.join(__dirname, '../fixtures/poisoned-consumer.ts');
    let deaths = 0;
    while ((await stage.waiting(stage.dead)) === 0) {
      const { amqpUrl, redisUrl } = servers;
      const args = ['--import', 'tsx', fixture, amqpUrl, redisUrl, stage.queue, poison];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      const hasDied = () => child.exitCode !== null || child.signalCode !== null;
      // The last consumer finds no deadly frame any more.
      const isOver = async () => hasDied() || (await stage.waiting(stage.dead)) > 0;
      await until('it dies, or the frame is dead', isOver);
      if (hasDied()) deaths += 1;
      assert.ok(deaths <= 6, 'it dies again and again');
    }
    const survivor = await stage.consume(t, () => undefined);
    await until('the queue is empty', async () => (await stage.waiting()) === 0);
    await until(
      'nothing is at work',
      async () => (await redis.keys(`${stage.namespace}:frame:*`)).length === 1,
    );
    await survivor.close();
    assert.equal(await redis.exists(poison), 1);
    assert.equal(await stage.waiting(stage.dead), 1);
    assert.equal(survivor.counters.expired, 0);
  });
});
