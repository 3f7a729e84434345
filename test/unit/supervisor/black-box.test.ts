/** What is kept of a crash: enough to understand it, bounded, without credentials. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { BlackBox, type Crash } from '../../../src/supervisor/black-box';

const ROOT = mkdtempSync(path.join(tmpdir(), 'vigil-black-box-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

function crash(rest: Partial<Crash> = {}): Crash {
  return {
    name: 'camera:gate',
    pid: 4711,
    startedAtMs: 1_700_000_000_000,
    endedAtMs: 1_700_000_060_000,
    fault: { code: 'crashed', message: 'ended by SIGSEGV' },
    exitCode: null,
    signal: 'SIGSEGV',
    lastLines: ['a', 'b'],
    ...rest,
  };
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

describe('a black box', () => {
  it('keeps the most recent output, in a file of the owner alone', async () => {
    const box = new BlackBox(path.join(ROOT, 'heard'));
    box.heartbeat('camera:gate', { done: 1, facts: { frames: 1 }, memoryBytes: 10 });
    box.heartbeat('camera:gate', { done: 2, facts: { frames: 2 }, memoryBytes: 20 });
    box.feedSaid('camera:gate', ['error while decoding MB']);
    const file = await box.record(crash());
    assert.equal(
      path.relative(path.join(ROOT, 'heard'), file),
      'camera-gate/2023-11-14T22-14-20.000Z-4711.json',
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { lastHeartbeat, ...rest } = read(file);
    assert.equal((lastHeartbeat as { done: number }).done, 2);
    assert.deepEqual(rest, {
      name: 'camera:gate',
      pid: 4711,
      fault: { code: 'crashed', message: 'ended by SIGSEGV' },
      exitCode: null,
      signal: 'SIGSEGV',
      lastLines: ['a', 'b'],
      startedAt: '2023-11-14T22:13:20.000Z',
      endedAt: '2023-11-14T22:14:20.000Z',
      ffmpeg: ['error while decoding MB'],
    });
  });

  it('does not attribute the last lines of one process to the next', async () => {
    const box = new BlackBox(path.join(ROOT, 'lives'));
    box.heartbeat('camera:gate', { done: 1, facts: {}, memoryBytes: 10 });
    box.feedSaid('camera:gate', ['of the first']);
    await box.record(crash());
    const second = read(await box.record(crash({ endedAtMs: 1_700_000_061_000 })));
    assert.equal(second['lastHeartbeat'], undefined);
    assert.deepEqual(second['ffmpeg'], []);
  });

  it('holds no credentials', async () => {
    const box = new BlackBox(path.join(ROOT, 'secrets'));
    const line = 'rtsp://admin:hush@10.0.0.1/stream: 401 Unauthorized';
    box.feedSaid('camera:gate', [line]);
    const file = await box.record(crash({ lastLines: [line], fault: { code: 'crashed', message: line } }));
    assert.doesNotMatch(readFileSync(file, 'utf8'), /hush/);
  });

  it('keeps each of many crashes that are faster than the disk', async () => {
    const box = new BlackBox(path.join(ROOT, 'fast'));
    const crashes = Array.from({ length: 40 }, (_, i) =>
      crash({ pid: i + 1, endedAtMs: 1_700_000_000_000 + i }),
    );
    await Promise.all(crashes.map((each) => box.record(each)));
    const pids = readdirSync(path.join(ROOT, 'fast', 'camera-gate'))
      .sort()
      .map((name) => Number(/-(\d+)\.json$/.exec(name)?.[1]));
    assert.deepEqual(
      pids,
      crashes.slice(20).map(({ pid }) => pid),
    );
  });

  it('keeps the children apart, and removes what a killed daemon left half-written', async () => {
    const dir = path.join(ROOT, 'apart');
    const box = new BlackBox(dir);
    box.feedSaid('camera:yard', ['of the other']);
    const folder = path.dirname(await box.record(crash()));
    const half = path.join(folder, '.2023-11-14T22-00-00.000Z-1.json.tmp');
    writeFileSync(half, '{"na');
    assert.deepEqual(read(await box.record(crash({ name: 'camera:yard' })))['ffmpeg'], ['of the other']);
    assert.ok(existsSync(half), 'the other has a folder of its own');
    await box.record(crash({ endedAtMs: 1_700_000_061_000 }));
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.endsWith('.json')),
      [],
    );
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('that cannot write says so, and writes the next one', async () => {
    const dir = path.join(ROOT, 'full');
    const box = new BlackBox(dir);
    writeFileSync(dir, 'in the way');
    await assert.rejects(box.record(crash()), { code: 'ENOTDIR' });
    rmSync(dir);
    assert.ok(existsSync(await box.record(crash())));
  });

  it('is bounded: twenty crashes of a child, forty lines of ffmpeg', async () => {
    const box = new BlackBox(path.join(ROOT, 'bounded'));
    for (let i = 0; i < 25; i++) {
      for (let line = 0; line < 100; line++) box.feedSaid('camera:gate', ['x'.repeat(10_000)]);
      await box.record(crash({ endedAtMs: 1_700_000_000_000 + i * 1000 }));
    }
    const folder = path.join(ROOT, 'bounded', 'camera-gate');
    const names = readdirSync(folder).sort();
    assert.equal(names.length, 20);
    assert.match(names[0] ?? '', /^2023-11-14T22-13-25/, 'the oldest have gone');
    for (const name of names) assert.ok(statSync(path.join(folder, name)).size < 40_000);
  });
});
