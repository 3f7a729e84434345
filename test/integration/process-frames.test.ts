/** The command `process` and its Python example, with real servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { runProcess, type ProcessOptions } from '../../src/consumer/frame-process';
import { FRAME_FORMATS, frameExtension } from '../../src/contract/frame';
import { redis, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture, type PictureFormat } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';
import { freePort } from '../../lab/free-port';

const run = promisify(execFile);

describe('runProcess', () => {
  const quiet: ProcessOptions['log'] = () => undefined;

  it('saves exactly as many frames as --count says and leaves the others', async (t) => {
    const stage = await Stage.open(t);
    const out = await temporaryFolder(t);
    for (let i = 0; i < 8; i += 1) await stage.send();
    const { signal } = new AbortController();
    const counters = await runProcess({ ...servers, queue: stage.queue, out, count: 3, signal, log: quiet });
    assert.deepEqual(counters, { processed: 3, expired: 0, invalid: 0, failed: 0 });
    assert.equal((await readdir(path.join(out, 'gate'))).length, 3);
    await until('five are left', async () => (await stage.waiting()) === 5);
    assert.equal((await redis.keys(`${stage.namespace}:frame:*`)).length, 5);
  });

  it('ends on abort and logs what it did; a damaged frame does not stop it', async (t) => {
    const stage = await Stage.open(t);
    const lines: string[] = [];
    const ending = new AbortController();
    const log: ProcessOptions['log'] = (level, message, fields) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    const ended = runProcess({ ...servers, queue: stage.queue, signal: ending.signal, log });
    await stage.send('png', (await picture('png')).subarray(0, 60));
    const good = await stage.send('webp');
    await until('the good frame has gone', async () => (await redis.exists(stage.key(good))) === 0);
    await until('the damaged one is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    ending.abort();
    assert.deepEqual(await ended, { processed: 1, expired: 0, invalid: 0, failed: 1 });
    assert.match(lines[0] ?? '', /^info consuming /);
    assert.match(lines[1] ?? '', /^warn frame .*"code":"undecodable"/);
    assert.equal(lines.at(-1), 'info processed 1 frames {"processed":1,"expired":0,"invalid":0,"failed":1}');
    assert.equal(lines.length, 3);
  });

  it('fails at once if it cannot save', async (t) => {
    const out = path.join(await temporaryFolder(t), 'file');
    await writeFile(out, '');
    const { signal } = new AbortController();
    await assert.rejects(runProcess({ ...servers, queue: 'any', out, signal, log: quiet }), {
      code: 'output-failed',
    });
  });
});

describe('examples/consumer.py', () => {
  const script = path.join(__dirname, '../../examples/consumer.py');

  it('prints and saves frames, rejects invalid messages, and skips expired frames', async (t) => {
    const stage = await Stage.open(t);
    const folder = await temporaryFolder(t);
    const endpoints = path.join(folder, 'endpoints.json');
    await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl }));
    stage.publish(
      Buffer.from('{"type": "vigil.frame.sampled.v1", "data": {"key": "ns:frame:../x:1:1x1:png"}}'),
    );
    stage.announce(stage.frame(await picture('jpeg')));
    const frames = [await stage.send('jpeg'), await stage.send('png'), await stage.send('webp')];
    await stage.send();

    const options = ['--endpoints', endpoints, '--out', path.join(folder, 'out'), '--count', '3'];
    const { stdout, stderr } = await run('/usr/bin/python3', [script, stage.queue, ...options]);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1] ?? '', /^gate \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.123 64x48 png \d+ bytes$/);
    assert.match(stderr, /not a frame announcement/);
    assert.match(stderr, /has expired/);
    for (const { capturedAt, format } of frames) {
      const file = `${capturedAt}.${format === 'jpeg' ? 'jpg' : format}`;
      assert.deepEqual(
        await readFile(path.join(folder, 'out', 'gate', file)),
        await picture(format as PictureFormat),
      );
    }
    await until('one is left', async () => (await stage.waiting()) === 1);
    assert.equal(await stage.waiting(stage.dead), 1);
    assert.equal((await redis.keys(`${stage.namespace}:frame:*`)).length, 1);
  });

  for (const [order, mode] of [
    ['in order', []],
    ['with --latest', ['--latest']],
  ] as const) {
    it(`saves frames of every format as they were stored, ${order}`, async (t) => {
      const stage = await Stage.open(t);
      const folder = await temporaryFolder(t);
      const endpoints = path.join(folder, 'endpoints.json');
      await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl }));
      const bytes = Buffer.from('00000001650102', 'hex');
      const frames = FRAME_FORMATS.map((format) => stage.frame(bytes, format, `camera-${format}`));
      for (const frame of frames) {
        await redis.set(stage.key(frame), bytes, 'PX', 60_000);
        stage.announce(frame);
      }
      const args = ['--endpoints', endpoints, '--out', folder, '--count', String(frames.length)];
      await run('/usr/bin/python3', [script, stage.queue, ...args, ...mode], { timeout: 60_000 });
      for (const frame of frames) {
        const name = `${frame.capturedAt}.${frameExtension(frame.format)}`;
        assert.deepEqual(await readFile(path.join(folder, frame.camera, name)), bytes);
      }
      assert.equal(await stage.waiting(stage.dead), 0);
    });
  }

  it('ends with one line, without a password, if a server is away', async (t) => {
    const folder = await temporaryFolder(t);
    const endpoints = path.join(folder, 'endpoints.json');
    const absent = `amqp://user:hush@127.0.0.1:${await freePort()}`;
    await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: absent }));
    await assert.rejects(run('/usr/bin/python3', [script, '--endpoints', endpoints]), (error) => {
      const { code, stderr } = error as { code: number; stderr: string };
      assert.equal(code, 1);
      assert.match(stderr, /^consumer\.py: /);
      assert.doesNotMatch(stderr, /hush|Traceback/);
      return true;
    });
  });
});
