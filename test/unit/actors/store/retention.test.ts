/** Confirmed frames that are kept until Redis has them on disk. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readPersistence } from '../../../../src/actors/store/persistence';
import { Retention } from '../../../../src/actors/store/retention';
import type { Frame } from '../../../../src/contract/frame';
import { Fault } from '../../../../src/fault/fault';
import { Spool } from '../../../../src/spool/spool';
import { waitingIn } from '../../../../lab/delivery-bench';
import { frameOf, openSpool } from './frames';

describe('the persistence of Redis', () => {
  const NOW = 1_700_000_100_000;
  const info = (fields: Record<string, string | number>) =>
    Object.entries({ run_id: 'abc', server_time_usec: NOW * 1000, loading: 0, ...fields })
      .map(([name, value]) => `${name}:${String(value)}\r\n`)
      .join('');
  const aof = { aof_enabled: 1, aof_last_write_status: 'ok', aof_pending_bio_fsync: 0, aof_buffer_length: 0 };
  const rdb = { aof_enabled: 0, rdb_last_save_time: NOW / 1000 - 30, rdb_last_bgsave_time_sec: 4 };
  const rows: readonly [string, Record<string, string | number>, number][] = [
    ['append-only, idle: all but two seconds', aof, NOW - 2000],
    ['append-only, with an fsync due: nothing', { ...aof, aof_pending_bio_fsync: 1 }, 0],
    ['append-only, with a buffer to write: nothing', { ...aof, aof_buffer_length: 10 }, 0],
    ['append-only, on a full disk: nothing', { ...aof, aof_last_write_status: 'err' }, 0],
    ['append-only, loading: nothing', { ...aof, loading: 1 }, 0],
    ['snapshots: up to the beginning of the last', rdb, NOW - 35_000],
    ['snapshots, none yet: up to its start', { ...rdb, rdb_last_bgsave_time_sec: -1 }, NOW - 31_000],
    ['snapshots, on another clock', { ...rdb, server_time_usec: (NOW + 5000) * 1000 }, NOW - 40_000],
    ['unknown: nothing', { aof_enabled: 0 }, 0],
  ];
  for (const [what, fields, durableBeforeMs] of rows)
    it(`of ${what}`, () =>
      assert.deepEqual(readPersistence(info(fields), NOW), { runId: 'abc', durableBeforeMs }));
});

describe('retention', () => {
  async function openRetention(t: TestContext, durable: boolean) {
    const { dir, spool } = await openSpool(t);
    const gone: number[] = [];
    const retention = new Retention({
      spool,
      durable,
      expireMs: 10_000,
      onGone: ({ capturedAt }) => gone.push(capturedAt),
    });
    const keep = async (capturedAt: number, storedMs: number) => {
      const frame = frameOf(capturedAt);
      await spool.write(frame, Buffer.from('jpeg'));
      await retention.keep(frame, storedMs);
      return frame;
    };
    const confirmed = async () => readdir(path.join(dir, 'gate', 'confirmed')).catch(() => []);
    return { dir, spool, retention, gone, keep, confirmed };
  }

  it('releases a confirmed frame at once with durability "memory"', async (t) => {
    const { retention, gone, keep, spool } = await openRetention(t, false);
    await keep(1, 0);
    assert.deepEqual([gone, retention.frames, await waitingIn(spool)], [[1], 0, []]);
  });

  it('keeps frames that are not on the disk of Redis until they have expired', async (t) => {
    const { retention, gone, keep, confirmed } = await openRetention(t, true);
    await keep(1, 1000);
    await keep(2, 3000);
    assert.deepEqual([retention.frames, retention.bytes, (await confirmed()).length], [2, 8, 2]);
    await retention.release(2000, 5000);
    assert.deepEqual([gone, (await confirmed()).length], [[1], 1]);
    await retention.release(0, 13_001);
    assert.deepEqual([gone, retention.bytes, await confirmed()], [[1, 2], 0, []]);
  });

  it('stores again what a restarted server may have lost, for the remaining lifetime', async (t) => {
    const { retention, keep } = await openRetention(t, true);
    const given: [number, number][] = [];
    const sink = {
      restore: async ({ capturedAt }: Frame, bytes: Buffer, lifeMs: number) => {
        assert.equal(bytes.toString(), 'jpeg');
        given.push([capturedAt, lifeMs]);
      },
    };
    assert.equal(await retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, sink, 0), 0);
    await keep(1, 1000);
    await keep(2, 3000);
    assert.equal(await retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, sink, 4000), 0);
    assert.equal(await retention.restoreAfter({ runId: 'b', durableBeforeMs: 0 }, sink, 4000), 2);
    assert.deepEqual(given, [
      [1, 7000],
      [2, 9000],
    ]);
    await retention.release(3500, 5000);
    assert.equal(retention.frames, 2, 'they count from when they were stored again');
    assert.equal(await retention.restoreAfter({ runId: 'c', durableBeforeMs: 0 }, sink, 12_000), 1);
    assert.deepEqual(given.at(-1), [2, 1000], 'the other has expired');
  });

  it('retries if Redis is lost while frames are stored again', async (t) => {
    const { retention, keep } = await openRetention(t, true);
    await keep(1, 1000);
    const failing = { restore: () => Promise.reject(new Error('redis has gone')) };
    await assert.rejects(retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, failing, 2000));
    const sink = { restore: async () => undefined };
    assert.equal(await retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, sink, 2000), 1);
  });

  it('stores frames again later if they cannot be read at that moment, and keeps them until then', async (t) => {
    const { retention, keep, spool, dir } = await openRetention(t, true);
    await keep(1, 1000);
    await keep(2, 1000);
    const failing = t.mock.method(spool, 'readConfirmed', async (frame: Frame) => {
      if (frame.capturedAt === 1) throw new Fault('spool-read', 'EIO');
      return new Spool(dir).readConfirmed(frame);
    });
    const given: number[] = [];
    const sink = { restore: async ({ capturedAt }: Frame) => void given.push(capturedAt) };
    const persistence = { runId: 'b', durableBeforeMs: 5000 };
    assert.equal(await retention.restoreAfter(persistence, sink, 4000), 1);
    await retention.release(persistence.durableBeforeMs, 4000);
    assert.equal(retention.frames, 1, 'the one that was not stored again');
    failing.mock.restore();
    assert.equal(await retention.restoreAfter(persistence, sink, 4000), 1);
    assert.equal(await retention.restoreAfter(persistence, sink, 4000), 0);
    assert.deepEqual(given, [2, 1]);
  });

  it('does not announce a frame again that cannot be removed, and removes it when possible', async (t) => {
    const { retention, gone, keep, spool } = await openRetention(t, false);
    const remove = t.mock.method(spool, 'remove', () => Promise.reject(new Error('EROFS')));
    await keep(1, 0);
    await retention.removeStuck();
    assert.deepEqual(gone, []);
    remove.mock.restore();
    await retention.removeStuck();
    assert.deepEqual([gone, await waitingIn(spool)], [[1], []]);
  });
});
