/** The store's parts: what goes next, what must go, what is kept until Redis has it on disk. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { boundOf, overflow, type Holding, type OverflowReason } from '../../../../src/actors/store/bounds';
import { LowDisk } from '../../../../src/actors/store/low-disk';
import { LIVE_MS, Outbox } from '../../../../src/actors/store/outbox';
import { Pace } from '../../../../src/actors/store/pace';
import { readPersistence } from '../../../../src/actors/store/persistence';
import { Retention } from '../../../../src/actors/store/retention';
import { SpoolKeeper } from '../../../../src/actors/store/spool-keeper';
import type { SpoolSpec } from '../../../../src/config/topology';
import type { Frame } from '../../../../src/contract/frame';
import { Fault, type FaultRecord } from '../../../../src/fault/fault';
import { Spool } from '../../../../src/spool/spool';
import { offsets, waitingIn } from '../../../../lab/delivery-bench';
import { seededRandom } from '../../../../lab/random';

const BOUNDS: SpoolSpec = {
  maxBytes: 1000,
  maxAgeMs: 60_000,
  maxFrames: 100,
  minFreeBytes: 0,
  replay: 'oldest-first',
  replayRate: 100,
};

function frameOf(capturedAt: number, camera = 'gate', bytes = 4): Frame {
  return { camera, capturedAt, sequence: capturedAt, width: 1, height: 1, format: 'jpeg', bytes };
}

describe('the outbox', () => {
  it('gives live frames of all cameras by their age, one of a camera at a time', () => {
    const outbox = new Outbox();
    outbox.add(frameOf(1, 'a'), 1000);
    outbox.add(frameOf(2, 'a'), 1001);
    outbox.add(frameOf(3, 'b'), 1002);
    const taken = [outbox.takeLive(2000), outbox.takeLive(2000), outbox.takeLive(2000)];
    assert.deepEqual(
      taken.map((choice) => choice?.frame.capturedAt),
      [1, 3, undefined],
    );
    outbox.settle(frameOf(1, 'a'));
    assert.equal(outbox.takeLive(2000)?.frame.capturedAt, 2);
  });

  it('calls a frame delayed when it has waited for longer than a live one may', () => {
    const outbox = new Outbox();
    outbox.add(frameOf(1), 0);
    assert.equal(outbox.takeLive(LIVE_MS + 1), undefined);
    assert.equal(outbox.takeDelayed('oldest-first')?.delayed, true);
    outbox.add(frameOf(2, 'b'), 0);
    assert.equal(outbox.takeLive(LIVE_MS)?.delayed, false);
  });

  it('goes by the time frames have waited, not by the clock they are stamped with, which may be set', () => {
    const outbox = new Outbox();
    outbox.add(frameOf(1_700_003_600_000), 0);
    outbox.add(frameOf(1_700_000_001_000), 1000);
    assert.equal(outbox.takeLive(1000)?.frame.capturedAt, 1_700_003_600_000);
    outbox.settle(frameOf(1_700_003_600_000));
    assert.equal(outbox.takeLive(1000)?.frame.capturedAt, 1_700_000_001_000);
  });

  it('knows a frame until its file has gone and two listings of the spool have begun since', () => {
    const outbox = new Outbox();
    assert.ok(outbox.add(frameOf(1), 0));
    assert.ok(!outbox.add(frameOf(1), 0));
    outbox.takeLive(0);
    assert.ok(!outbox.add(frameOf(1), 0), 'in flight');
    outbox.settle(frameOf(1));
    assert.ok(!outbox.add(frameOf(1), 0), 'confirmed');
    outbox.forget(frameOf(1));
    outbox.beginScan();
    assert.ok(!outbox.add(frameOf(1), 0), 'a listing may be older');
    outbox.beginScan();
    assert.ok(outbox.add(frameOf(1), 0));
  });

  it('counts what waits and what is in flight, and drops the oldest first', (t) => {
    const random = seededRandom(t);
    const outbox = new Outbox();
    const times = Array.from({ length: 200 }, (_, i) => i);
    for (const time of times.toSorted(() => random.next() - 0.5))
      outbox.add(frameOf(time, `cam${time % 7}`, 10), time);
    const inFlight = outbox.takeLive(0);
    assert.equal(inFlight?.frame.capturedAt, 0);
    assert.deepEqual([outbox.frames, outbox.bytes], [200, 2000]);
    for (const time of times.slice(1)) {
      const oldest = outbox.oldest();
      assert.equal(oldest?.frame.capturedAt, time);
      outbox.drop(oldest);
    }
    assert.deepEqual([outbox.oldest(), outbox.frames, outbox.bytes], [undefined, 1, 10]);
    outbox.giveBack(inFlight);
    assert.equal(outbox.oldest()?.frame.capturedAt, 0);
  });
});

describe('a bound of the spool', () => {
  const held: Holding = { frames: 10, bytes: 100, oldestMs: 1000 };
  const rows: readonly [string, Partial<Holding>, Partial<SpoolSpec>, OverflowReason | undefined][] = [
    ['lets all stay within', {}, {}, undefined],
    ['of age is reached after it', { oldestMs: 60_000 }, {}, undefined],
    ['of age', { oldestMs: 60_001 }, {}, 'spool-age'],
    ['of bytes is reached after it', { bytes: 1000 }, {}, undefined],
    ['of bytes', { bytes: 1001 }, {}, 'spool-bytes'],
    ['of frames', { frames: 101 }, {}, 'spool-frames'],
    ['of live frames', { oldestMs: 5001 }, { replay: 'none' }, 'replay-none'],
    ['of live frames lets those stay that may be live', { oldestMs: 5000 }, { replay: 'none' }, undefined],
  ];
  for (const [what, holding, bounds, expected] of rows)
    it(what, () => {
      const reason = overflow({ ...held, ...holding }, { ...BOUNDS, ...bounds }, LIVE_MS);
      assert.equal(reason, expected);
      if (reason !== undefined) assert.match(boundOf(reason, BOUNDS), /spool\.\w+/);
    });
});

describe('a disk with too little room', () => {
  const look = { freeBytes: 900, minFreeBytes: 1000, removableBytes: 500, nowMs: 0 };

  it('asks for what it lacks, and for nothing where all that is there would not do', () => {
    for (const [changes, owed] of [
      [{}, 100],
      [{ freeBytes: 1000 }, 0],
      [{ freeBytes: 500 }, 500],
      [{ freeBytes: 499 }, 0],
      [{ removableBytes: 0 }, 0],
    ] as const)
      assert.equal(new LowDisk().owedBytes({ ...look, ...changes }), owed, JSON.stringify(changes));
  });

  it('asks once a minute while what is removed does not make it any freer', () => {
    const disk = new LowDisk();
    const asked: number[] = [];
    for (let nowMs = 0; nowMs < 180_000; nowMs += 1000)
      if (disk.owedBytes({ ...look, nowMs }) > 0) asked.push(nowMs);
    assert.deepEqual(asked, [0, 60_000, 120_000]);
  });

  it('asks again at once where it helped', () => {
    const disk = new LowDisk();
    assert.equal(disk.owedBytes(look), 100);
    assert.equal(disk.owedBytes({ ...look, freeBytes: 960, nowMs: 1000 }), 40);
    assert.equal(disk.owedBytes({ ...look, freeBytes: 1000, nowMs: 2000 }), 0);
    assert.equal(disk.owedBytes({ ...look, nowMs: 3000 }), 100);
  });
});

describe('a pace', () => {
  it('lets a tenth of a second go at once, then keeps to its rate', () => {
    const pace = new Pace(100, 0);
    let gone = 0;
    for (let nowMs = 0; nowMs <= 1000; nowMs += 5)
      while (pace.waitMs(nowMs) === 0) {
        pace.take();
        gone++;
      }
    assert.equal(gone, 110);
  });

  it('tells how long the next must wait', () => {
    const pace = new Pace(2, 0);
    pace.take();
    assert.equal(pace.waitMs(0), 500);
    assert.equal(Math.round(pace.waitMs(400)), 100);
    assert.equal(pace.waitMs(500), 0);
  });
});

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

async function openSpool(t: TestContext): Promise<{ dir: string; spool: Spool }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-store-'));
  t.after(() => rm(dir, { recursive: true }));
  return { dir, spool: new Spool(dir, path.join(dir, 'no memory')) };
}

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

  it('lets a confirmed frame go at once with durability "memory"', async (t) => {
    const { retention, gone, keep, spool } = await openRetention(t, false);
    await keep(1, 0);
    assert.deepEqual([gone, retention.frames, await waitingIn(spool)], [[1], 0, []]);
  });

  it('keeps what is not on the disk of Redis, until it has expired', async (t) => {
    const { retention, gone, keep, confirmed } = await openRetention(t, true);
    await keep(1, 1000);
    await keep(2, 3000);
    assert.deepEqual([retention.frames, retention.bytes, (await confirmed()).length], [2, 8, 2]);
    await retention.release(2000, 5000);
    assert.deepEqual([gone, (await confirmed()).length], [[1], 1]);
    await retention.release(0, 13_001);
    assert.deepEqual([gone, retention.bytes, await confirmed()], [[1, 2], 0, []]);
  });

  it('stores again what a server that began anew may not have, for the rest of its life', async (t) => {
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

  it('tries again when Redis is lost while frames are stored again', async (t) => {
    const { retention, keep } = await openRetention(t, true);
    await keep(1, 1000);
    const failing = { restore: () => Promise.reject(new Error('redis has gone')) };
    await assert.rejects(retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, failing, 2000));
    const sink = { restore: async () => undefined };
    assert.equal(await retention.restoreAfter({ runId: 'a', durableBeforeMs: 0 }, sink, 2000), 1);
  });

  it('stores again later what cannot be read at that moment, and keeps it until then', async (t) => {
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

  it('announces no frame anew that cannot be removed, and removes it when it can', async (t) => {
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

describe('the keeper of the spool', () => {
  async function openKeeper(t: TestContext, bounds: Partial<SpoolSpec> = {}, durable = false) {
    const { dir, spool } = await openSpool(t);
    const outbox = new Outbox();
    const dropped: [string, number[]][] = [];
    const clock = { nowMs: 0 };
    const retention = new Retention({
      spool,
      durable,
      expireMs: 1_000_000,
      onGone: (frame) => outbox.forget(frame),
    });
    const keeper = new SpoolKeeper({
      spool,
      outbox,
      retention,
      bounds: { ...BOUNDS, ...bounds },
      now: () => clock.nowMs,
      onDropped: (frames: readonly Frame[], fault: FaultRecord) => {
        dropped.push([fault.code, frames.map(({ capturedAt }) => capturedAt)]);
      },
    });
    const write = async (capturedAt: number, bytes = 4) => {
      const frame = frameOf(capturedAt, 'gate', bytes);
      await spool.write(frame, Buffer.alloc(bytes));
      return frame;
    };
    return { dir, spool, outbox, retention, keeper, dropped, clock, write };
  }

  it('finds what was left, and every ten seconds what it was not told of', async (t) => {
    const { keeper, outbox, write, clock } = await openKeeper(t);
    const at = Date.now();
    await write(at);
    await keeper.tick();
    assert.equal(outbox.frames, 1);
    await write(at + 1);
    clock.nowMs = 9999;
    await keeper.tick();
    assert.equal(outbox.frames, 1);
    clock.nowMs = 10_000;
    await keeper.tick();
    assert.equal(outbox.frames, 2);
  });

  it('drops the oldest beyond a bound, from the disk too, and says which', async (t) => {
    const { keeper, outbox, write, dropped, spool } = await openKeeper(t);
    const at = Date.now() - 10_000;
    for (const i of [0, 1, 2, 3]) await write(at + i, 300);
    await keeper.tick();
    assert.deepEqual(dropped, [['spool-bytes', [at]]]);
    assert.equal(outbox.bytes, 900);
    assert.deepEqual(
      (await waitingIn(spool)).map(({ capturedAt }) => capturedAt - at),
      [1, 2, 3],
    );
  });

  it('drops what was left too long ago, by the clock where it knows nothing better', async (t) => {
    const { keeper, write, dropped } = await openKeeper(t);
    const at = Date.now();
    await write(at - 60_100);
    await write(at - 59_000);
    await keeper.tick();
    assert.deepEqual(dropped, [['spool-age', [at - 60_100]]]);
  });

  it('drops no frame because the clock was set', async (t) => {
    const { keeper, outbox, write, dropped, clock } = await openKeeper(t);
    outbox.add(await write(Date.now() - 3_600_000), clock.nowMs);
    clock.nowMs = 1000;
    await keeper.tick();
    assert.deepEqual([dropped, outbox.frames], [[], 1]);
  });

  it('lets confirmed frames go before it drops one that waits', async (t) => {
    const { keeper, outbox, retention, write, dropped } = await openKeeper(t, {}, true);
    const at = Date.now() - 10_000;
    for (const i of [0, 1]) {
      const frame = await write(at + i, 400);
      outbox.know(frame);
      await retention.keep(frame, at);
    }
    await write(at + 2, 400);
    await keeper.tick();
    assert.deepEqual([dropped, retention.frames, outbox.frames], [[], 1, 1]);
  });

  /** A keeper for a disk with so many bytes left, and frames of 300 bytes that wait on it since ten seconds. */
  async function openLowDisk(t: TestContext, freeBytes: number | undefined, count: number) {
    const opened = await openKeeper(t, { minFreeBytes: 10_000 });
    t.mock.method(opened.spool, 'freeBytes', () => Promise.resolve(freeBytes));
    // Ages are told to the millisecond, and listing takes some.
    const [firstAt, stepMs] = [Date.now() - 10_000, 100];
    const at = (i: number): number => firstAt + i * stepMs;
    const frames = await Promise.all(offsets(0, count).map((i) => opened.write(at(i), 300)));
    return { ...opened, at, frames };
  }

  it('gives up the oldest for the disk where that makes the room it was told to leave', async (t) => {
    const { keeper, dropped, outbox, at } = await openLowDisk(t, 9500, 3);
    await keeper.tick();
    assert.deepEqual(dropped, [['spool-free', [at(0), at(1)]]]);
    assert.equal(outbox.frames, 1);
  });

  for (const [what, freeBytes] of [
    ['has far less room than all that the spool holds there', 100],
    ['is full', 0],
    ['lacks a byte more than the spool holds there', 9099],
    ['does not say what it has', undefined],
  ] as const)
    it(`keeps what waits where the disk ${what}: to drop it would not help`, async (t) => {
      const { keeper, dropped, outbox, spool } = await openLowDisk(t, freeBytes, 3);
      for (let i = 0; i < 3; i++) await keeper.tick();
      assert.deepEqual([dropped, outbox.frames, (await waitingIn(spool)).length], [[], 3, 3]);
    });

  it('does not count what waits in memory as a burden of the disk', async (t) => {
    const { keeper, dropped, outbox, spool, frames } = await openLowDisk(t, 9100, 3);
    t.mock.method(spool, 'inMemory', () => Promise.resolve(frames.slice(0, 1)));
    await keeper.tick();
    assert.deepEqual([dropped, outbox.frames], [[], 3]);
  });

  it('drops none of memory for the sake of the disk, and none that is in flight', async (t) => {
    const { keeper, dropped, spool, frames, outbox, at } = await openLowDisk(t, 9500, 4);
    t.mock.method(spool, 'inMemory', () => Promise.resolve(frames.slice(0, 1)));
    await keeper.scan();
    const [first] = outbox.waiting();
    assert.ok(first !== undefined);
    outbox.drop(first);
    assert.equal(outbox.takeLive(-8000)?.frame.capturedAt, at(1));
    await keeper.tick();
    assert.deepEqual(dropped, [['spool-free', [at(2), at(3)]]]);
  });

  it('finds the frames of other cameras when the folder of one cannot be read, and keeps to its bounds', async (t) => {
    const { keeper, dropped, outbox, write, dir } = await openKeeper(t);
    const at = Date.now();
    await write(at - 61_000);
    await write(at);
    await mkdir(path.join(dir, 'barn', 'confirmed'), { recursive: true });
    await chmod(path.join(dir, 'barn'), 0o777);
    const fault = await keeper.tick();
    assert.equal(fault?.code, 'spool-read');
    assert.match(fault.message, /barn is open to other users \(mode 777\)$/);
    assert.deepEqual([dropped, outbox.frames], [[['spool-age', [at - 61_000]]], 1]);
    await chmod(path.join(dir, 'barn'), 0o700);
    await keeper.scan();
    assert.equal(await keeper.tick(), undefined);
  });

  it('removes the confirmed frames that an earlier process has kept when it is to keep none', async (t) => {
    const { keeper, outbox, retention, write, spool, dir } = await openKeeper(t);
    for (const i of [0, 1]) await spool.confirm(await write(Date.now() + i));
    await keeper.tick();
    assert.deepEqual([outbox.frames, outbox.bytes, retention.frames, retention.bytes], [0, 0, 0, 0]);
    assert.deepEqual(await readdir(path.join(dir, 'gate', 'confirmed')), []);
  });

  it('finds the confirmed frames of an earlier process, and announces none of them', async (t) => {
    const { keeper, outbox, retention, write, spool } = await openKeeper(t, {}, true);
    await spool.confirm(await write(Date.now()));
    await keeper.tick();
    assert.deepEqual([outbox.frames, retention.frames], [0, 1]);
  });

  it('measures the disk it is on', async (t) => {
    const { spool } = await openSpool(t);
    assert.ok(((await spool.freeBytes()) ?? 0) > 0);
  });
});
