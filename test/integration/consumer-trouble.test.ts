/** A consumer's own trouble, lost connections and slow handlers, on real servers: none of it is the frame's fault. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { latestKey, type ConsumedFrame, type Frame, type FrameHandler } from '../../src/consumer';
import { runProcess, type ProcessOptions } from '../../src/consumer/process';
import { findProgram } from '../../src/os/orphans';
import { LIFE_MS, redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { PrivateRedis } from '../../lab/private-redis';
import { Wire } from '../../lab/wire';
import { run, waitUntil as until } from '../../lab/process';
import { startCluster } from '../../lab/redis';
import { freePort } from '../../lab/free-port';

describe("a consumer's own trouble", { concurrency: true }, () => {
  it('pauses consuming with its reason, gives no frame up, and is over by itself', async (t) => {
    const stage = await Stage.open(t);
    const out = path.join(await temporaryFolder(t), 'file');
    await symlink('/dev/full', out);
    const handled: string[] = [];
    const handler: FrameHandler = async ({ event, bytes }) => {
      await writeFile(out, bytes);
      handled.push(event.data.key);
    };
    const keys: string[] = [];
    for (let i = 0; i < 12; i += 1) keys.push(stage.key(await stage.send()));
    const consumer = await stage.consume(t, handler, { prefetch: 4 });
    await until('the pause is reported', () => stage.codes().includes('paused'));
    assert.match(stage.faults[0]?.message ?? '', /^consuming pauses: ENOSPC: no space left on device/);
    const starts = stage.starts;
    // Longer than a frame that fails would take to its delivery limit.
    await sleep(4000);
    assert.deepEqual(stage.codes(), ['paused']);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.ok((await stage.waiting()) >= 7, 'what was not taken yet stays in the queue');

    await rm(out);
    await until('all are processed', () => consumer.counters.processed === 12);
    assert.deepEqual(handled.sort(), keys.sort());
    assert.deepEqual(consumer.counters, { processed: 12, expired: 0, invalid: 0, failed: 0 });
    assert.equal(stage.starts, starts + 1);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('in a folder of --out, or for want of ffmpeg, makes `process` wait', async (t) => {
    const stage = await Stage.open(t);
    const folder = await temporaryFolder(t);
    const [out, ffmpeg] = [path.join(folder, 'out'), path.join(folder, 'ffmpeg')];
    await mkdir(out);
    await writeFile(path.join(out, 'gate'), 'in the place of the folder');
    const lines: string[] = [];
    const ending = new AbortController();
    const log: ProcessOptions['log'] = (level, message) => void lines.push(`${level} ${message}`);
    const options = { ...servers, queue: stage.queue, out, ffmpeg, signal: ending.signal, log };
    const ended = runProcess(options);
    t.after(() => ending.abort());
    await stage.send();
    await until('it says why', () =>
      lines.some((line) => /^warn consuming pauses: cannot save to .*gate/.test(line)),
    );
    await rm(path.join(out, 'gate'));
    const saved = () => readdir(path.join(out, 'gate')).catch(() => []);
    await until('the picture is saved', async () => (await saved()).length === 1);

    const source = ['-f', 'lavfi', '-i', 'testsrc=size=64x48', '-frames:v', '1'];
    const keyframe = path.join(folder, 'keyframe.h264');
    const program = findProgram('ffmpeg') ?? '';
    await run(program, ['-v', 'error', ...source, '-c:v', 'libx264', keyframe]);
    const bytes = await readFile(keyframe);
    const frame = stage.frame(bytes, 'h264');
    await redis.set(stage.key(frame), bytes);
    stage.announce(frame);
    await until('it says so', () =>
      lines.some((line) => line.startsWith('warn consuming pauses: ffmpeg cannot be run')),
    );
    await symlink(program, ffmpeg);
    await until('the keyframe is done', async () => (await redis.exists(stage.key(frame))) === 0);
    ending.abort();
    assert.deepEqual(await ended, { processed: 2, expired: 0, invalid: 0, failed: 0 });
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('in a folder of --out that lasts is no success when `process` is told to end', async (t) => {
    const stage = await Stage.open(t);
    const out = path.join(await temporaryFolder(t), 'out');
    await mkdir(out);
    await writeFile(path.join(out, 'gate'), 'in the place of the folder');
    const lines: string[] = [];
    const ending = new AbortController();
    const log: ProcessOptions['log'] = (level, message) => void lines.push(`${level} ${message}`);
    const ended = runProcess({ ...servers, queue: stage.queue, out, signal: ending.signal, log });
    ended.catch(() => undefined);
    await stage.send();
    await until('it says why', () => lines.some((line) => line.startsWith('warn consuming pauses')));
    const begun = performance.now();
    ending.abort();
    await assert.rejects(ended, {
      code: 'output-failed',
      message: /^consuming pauses: cannot save to .*gate/,
    });
    assert.ok(performance.now() - begun < 9000, 'no handler is waited for to its deadline');
    await until('the frame waits again', async () => (await stage.waiting()) === 1);
  });

  it('of a Redis that refuses writes costs no frame a delivery', async (t) => {
    const stage = await Stage.open(t);
    const folder = await temporaryFolder(t);
    const store = new PrivateRedis(await freePort(), folder);
    await store.start();
    t.after(() => store.stop('SIGKILL'));
    const client = new Redis(store.url);
    t.after(() => client.disconnect());
    const keys = [];
    for (let i = 0; i < 6; i += 1) keys.push(stage.key(await stage.send('jpeg', undefined, client)));
    // A snapshot cannot take the place of a folder.
    await mkdir(path.join(folder, 'dump.rdb', 'full'), { recursive: true });
    const refuses = async () => {
      await client.bgsave().catch(() => undefined);
      return await client.set('probe', '1').then(
        () => false,
        (error: unknown) => String(error).includes('MISCONF'),
      );
    };
    await until('Redis refuses writes', refuses);
    const consumer = await stage.consume(t, () => undefined, {
      redisUrl: store.url,
      removal: 'getdel',
      prefetch: 2,
    });
    await until('it is reported', () => stage.codes().includes('redis-refused'));
    await sleep(3000);
    await client.config('SET', 'stop-writes-on-bgsave-error', 'no');
    await until('all are processed', () => consumer.counters.processed === 6);
    assert.deepEqual(consumer.counters, { processed: 6, expired: 0, invalid: 0, failed: 0 });
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.equal(await client.exists(...keys), 0);
    assert.deepEqual([...new Set(stage.codes())], ['redis-refused']);
  });

  it('of connections to Redis that break one after the other costs no frame a delivery', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.redisUrl);
    wire.silent = true;
    const consumer = await stage.consume(t, () => undefined, { redisUrl: url, prefetch: 2 });
    let sent = 4;
    for (let i = 0; i < sent; i += 1) await stage.send();
    for (let broken = 0; broken < 5; broken += 1) {
      wire.silent = false;
      const before = stage.starts;
      await until('it consumes', () => stage.starts > before || consumer.counters.processed > 0);
      wire.silent = true;
      const swallowed = wire.swallowed;
      if (consumer.counters.processed < 4) {
        await stage.send();
        sent += 1;
        await until('a command is on its way', () => wire.swallowed > swallowed);
      }
      wire.cut();
    }
    wire.silent = false;
    await until('all are processed', () => consumer.counters.processed === sent);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.equal(consumer.counters.expired + consumer.counters.failed, 0);
  });

  it('of a Redis Cluster that fails over is reported, ends at a close, and passes', async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const stage = await Stage.open(t);
    const [, , third] = cluster.servers;
    third?.process.signal('SIGKILL');
    await third?.process.exited;
    await until('the cluster has noticed', async () =>
      /cluster_state:fail/.test(String(await cluster.servers[0]?.command('CLUSTER', 'INFO'))),
    );
    const redisUrl = cluster.url;
    await stage.consume(t, () => undefined, { redisUrl });
    await until('it is reported', () => stage.codes().length > 0);
    assert.match(stage.faults[0]?.message ?? '', /is a cluster that does not serve all keys now/);
    const second = await stage.consume(t, () => undefined, { redisUrl });
    const beforeMs = performance.now();
    await second.close();
    assert.ok(performance.now() - beforeMs < 4000, `${performance.now() - beforeMs} ms`);
    await third?.restart();
    await until('it consumes', () => stage.starts === 1);
  });
});

describe('a lost connection to RabbitMQ', { concurrency: true }, () => {
  it('lets no more frames be worked on than prefetch says, and none twice', async (t) => {
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

  it('that is open, of a node that never answers for the queue, is given up', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    // What a client sends besides is heartbeats: the connection stays, as that of a node without its cluster does.
    wire.withholds = (data) => /vigil-[0-9a-f]{8}-/.test(data.toString('latin1'));
    await stage.consume(t, () => undefined, { amqpUrl: url });
    await until('it is reported', () => stage.codes().includes('rabbitmq-unreachable'));
    assert.match(stage.faults[0]?.message ?? '', /did not answer for queue/);
    wire.withholds = () => false;
    await until('it consumes', () => stage.starts === 1);
  });

  it('by a handler that blocks this process makes no finished frame expired', async (t) => {
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

describe('a frame that its consumer dies of', () => {
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
      // The last one has nothing left to die of.
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

  it('gives every camera its newest frame in turn, however many wait', async (t) => {
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

  it('is what examples/consumer.py does with --latest', async (t) => {
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

  // Every turn takes as long as each camera needs for another frame.
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
        // It is closed now, and takes nothing off the queue any more.
        if (served.length === 40) return;
        await capture();
        await until('they are on their way', async () => (await stage.waiting()) === 0);
      };
      await capture();
      const consumer = await stage.consume(t, handler, { latestOnly: true, prefetch: 1 });
      await until('forty had their turn', () => served.length === 40);
      await consumer.close();
      const turns = cameras.map((camera) => served.filter((one) => one === camera).length);
      // A frame that the broker has sent may not have arrived when the turn ends: then another camera goes before it.
      // The exact order, with nothing on its way unseen, is that of unit/consumer-fairness.test.ts.
      assert.ok(Math.min(...turns) >= 6, `unfair: ${String(turns)}`);
      assert.ok(Math.max(...ages) <= 3, `stale: ${String(ages)}`);
      assert.equal(await stage.waiting(stage.dead), 0);
    });
});
