/** A consumer that wants only the newest frame of each camera, on real servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { latestKey, type ConsumedFrame, type Frame } from '../../src/consumer';
import { LIFE_MS, redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';

describe('latestOnly', { concurrency: true }, () => {
  const cameras = ['gate', 'yard', 'dock', 'hall'];

  /** Ten frames of each camera. */
  async function backlog(t: TestContext): Promise<{ stage: Stage; newest: (string | null)[] }> {
    const stage = await Stage.open(t);
    const bytes = await picture('jpeg');
    for (let i = 0; i < 10; i += 1)
      for (const camera of cameras) {
        const frame = stage.frame(bytes, 'jpeg', camera);
        await redis.set(stage.key(frame), bytes, 'PX', LIFE_MS);
        await redis.set(latestKey(stage.namespace, camera), stage.key(frame), 'PX', LIFE_MS);
        stage.announce(frame);
      }
    const newest = await Promise.all(cameras.map((camera) => redis.get(latestKey(stage.namespace, camera))));
    return { stage, newest: newest.sort() };
  }

  it('processes the newest frame of each camera in turn, however many wait', async (t) => {
    const { stage, newest } = await backlog(t);
    const handled: string[] = [];
    const handler = ({ event }: ConsumedFrame) => void handled.push(event.data.key);
    const consumer = await stage.consume(t, handler, { latestOnly: true, prefetch: 1 });
    await until('four are processed', () => consumer.counters.processed === 4);
    await consumer.close();
    assert.deepEqual(handled.sort(), newest);
    assert.deepEqual(consumer.counters, { processed: 4, expired: 0, invalid: 0, failed: 0, overtaken: 36 });
    assert.equal(await stage.waiting(), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.equal(
      (await redis.keys(`${stage.namespace}:frame:*`)).length,
      0,
      'overtaken pictures are removed',
    );
  });

  it('is also what examples/consumer.py --latest does', async (t) => {
    const { stage, newest } = await backlog(t);
    const folder = await temporaryFolder(t);
    const endpoints = path.join(folder, 'endpoints.json');
    await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl }));
    const script = path.join(__dirname, '../../examples/consumer.py');
    const args = [script, stage.queue, '--endpoints', endpoints, '--latest', '--count', '4', '--out', folder];
    const { stdout } = await promisify(execFile)('/usr/bin/python3', args, { timeout: 60_000 });
    assert.deepEqual(
      stdout
        .split('\n')
        .slice(0, 4)
        .map((line) => line.split(' ')[0])
        .sort(),
      [...cameras].sort(),
    );
    for (const camera of cameras) {
      const captured = newest.find((key) => key?.includes(`:${camera}:`))?.split(':')[3] ?? '';
      assert.deepEqual(await readdir(path.join(folder, camera)), [`${captured}.jpg`]);
    }
    assert.equal((await redis.keys(`${stage.namespace}:frame:*`)).length, 0);
    assert.equal((await stage.channel.checkQueue(stage.queue)).messageCount, 0);
  });

  // Every turn takes as long as a camera needs for its next frame.
  const announcements: readonly { what: string; late: readonly string[] }[] = [
    { what: 'at once', late: [] },
    { what: 'at once for one of them, and after the next frame for the others', late: cameras.slice(1) },
  ];
  for (const { what, late } of announcements)
    it(`shares a slow handler equally among cameras whose frames are announced ${what}`, async (t) => {
      const stage = await Stage.open(t);
      const bytes = await picture('jpeg');
      const served: string[] = [];
      const ages: number[] = [];
      let rounds = 0;
      let held: Frame[] = [];
      const capture = async () => {
        rounds += 1;
        const due = held;
        held = [];
        for (const camera of cameras) {
          const frame = { ...stage.frame(bytes, 'jpeg', camera), capturedAt: rounds };
          await redis.set(stage.key(frame), bytes, 'PX', LIFE_MS);
          await redis.set(latestKey(stage.namespace, camera), stage.key(frame), 'PX', LIFE_MS);
          (late.includes(camera) ? held : due).push(frame);
        }
        for (const frame of due) stage.announce(frame);
      };
      const handler = async ({ event: { data } }: ConsumedFrame) => {
        if (served.length === 40) return;
        served.push(data.camera);
        ages.push(rounds - data.capturedAt);
        // The consumer is closing and takes nothing more from the queue.
        if (served.length === 40) return;
        await capture();
        await until('they are in transit', async () => (await stage.waiting()) === 0);
      };
      await capture();
      const consumer = await stage.consume(t, handler, { latestOnly: true, prefetch: 1 });
      await until('forty had their turn', () => served.length === 40);
      await consumer.close();
      const turns = cameras.map((camera) => served.filter((one) => one === camera).length);
      // A frame that the broker has sent may arrive after the turn ends: then another camera comes first.
      // The exact order, with no frame in transit, is tested in test/unit/consumer/consumer-fairness.test.ts.
      assert.ok(Math.min(...turns) >= 6, `unfair: ${String(turns)}`);
      assert.ok(Math.max(...ages) <= 3, `stale: ${String(ages)}`);
      assert.equal(await stage.waiting(stage.dead), 0);
    });
});
