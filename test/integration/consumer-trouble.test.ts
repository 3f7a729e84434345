/** A consumer's own trouble, on real servers, is not blamed on the frame. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FrameHandler } from '../../src/consumer';
import { runProcess, type ProcessOptions } from '../../src/consumer/frame-process';
import { findProgram } from '../../src/os/orphans';
import { redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { Wire } from '../../lab/wire';
import { run, waitUntil as until } from '../../lab/process';
import { startCluster } from '../../lab/redis';
import { startRefusingRedis } from '../../lab/refusing-redis';

describe("a consumer's own trouble", { concurrency: true }, () => {
  it('pauses consuming with its reason, gives up no frame, and ends automatically', async (t) => {
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
    // Longer than a failing frame takes to reach its delivery limit.
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

  it('with the folder of --out, or a missing ffmpeg, makes `process` wait', async (t) => {
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

  it('with the folder of --out makes `process` fail if it persists until the end', async (t) => {
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

  it('with a Redis that refuses writes costs no frame a delivery', async (t) => {
    const stage = await Stage.open(t);
    const store = await startRefusingRedis(t);
    const { client } = store;
    const keys = [];
    for (let i = 0; i < 6; i += 1) keys.push(stage.key(await stage.send('jpeg', undefined, client)));
    await store.refuse();
    const consumer = await stage.consume(t, () => undefined, {
      redisUrl: store.url,
      removal: 'getdel',
      prefetch: 2,
    });
    await until('it is reported', () => stage.codes().includes('redis-refused'));
    await sleep(3000);
    await store.relent();
    await until('all are processed', () => consumer.counters.processed === 6);
    assert.deepEqual(consumer.counters, { processed: 6, expired: 0, invalid: 0, failed: 0 });
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.equal(await client.exists(...keys), 0);
    assert.deepEqual([...new Set(stage.codes())], ['redis-refused']);
  });

  it('with connections to Redis that keep breaking costs no frame a delivery', async (t) => {
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
        await until('a command is in flight', () => wire.swallowed > swallowed);
      }
      wire.cut();
    }
    wire.silent = false;
    await until('all are processed', () => consumer.counters.processed === sent);
    assert.equal(await stage.waiting(stage.dead), 0);
    assert.equal(consumer.counters.expired + consumer.counters.failed, 0);
  });

  it('with a Redis Cluster during a failover is reported, does not delay a close, and passes', async (t) => {
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
