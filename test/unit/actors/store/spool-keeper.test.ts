/** The keeper of the spool on a real folder. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Outbox } from '../../../../src/actors/store/outbox';
import { Retention } from '../../../../src/actors/store/retention';
import { SpoolKeeper } from '../../../../src/actors/store/spool-keeper';
import type { SpoolSpec } from '../../../../src/config/topology';
import type { Frame } from '../../../../src/contract/frame';
import type { FaultRecord } from '../../../../src/fault/fault';
import { offsets, waitingIn } from '../../../../lab/delivery-bench';
import { frameOf, BOUNDS, openSpool } from './frames';

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

  it('finds what was left, and every ten seconds what was not reported to it', async (t) => {
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

  it('drops the oldest beyond a limit, from the disk too, and reports which', async (t) => {
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

  it('drops what was left too long ago, by the clock if it knows nothing better', async (t) => {
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

  it('releases confirmed frames before it drops one that waits', async (t) => {
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

  /** A keeper for a disk with this many bytes left, and frames of 300 bytes that have waited on it for ten seconds. */
  async function openLowDisk(t: TestContext, freeBytes: number | undefined, count: number) {
    const opened = await openKeeper(t, { minFreeBytes: 10_000 });
    t.mock.method(opened.spool, 'freeBytes', () => Promise.resolve(freeBytes));
    // Ages are reported to the millisecond, and listing takes time.
    const [firstAt, stepMs] = [Date.now() - 10_000, 100];
    const at = (i: number): number => firstAt + i * stepMs;
    const frames = await Promise.all(offsets(0, count).map((i) => opened.write(at(i), 300)));
    return { ...opened, at, frames };
  }

  it('drops the oldest if that frees the space it must leave on the disk', async (t) => {
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
    it(`keeps what waits if the disk ${what}: dropping it would not help`, async (t) => {
      const { keeper, dropped, outbox, spool } = await openLowDisk(t, freeBytes, 3);
      for (let i = 0; i < 3; i++) await keeper.tick();
      assert.deepEqual([dropped, outbox.frames, (await waitingIn(spool)).length], [[], 3, 3]);
    });

  it('does not count frames in memory as a load on the disk', async (t) => {
    const { keeper, dropped, outbox, spool, frames } = await openLowDisk(t, 9100, 3);
    t.mock.method(spool, 'inMemory', () => Promise.resolve(frames.slice(0, 1)));
    await keeper.tick();
    assert.deepEqual([dropped, outbox.frames], [[], 3]);
  });

  it('drops no frame in memory for the sake of the disk, and none that is in flight', async (t) => {
    const { keeper, dropped, spool, frames, outbox, at } = await openLowDisk(t, 9500, 4);
    t.mock.method(spool, 'inMemory', () => Promise.resolve(frames.slice(0, 1)));
    await keeper.scan();
    const first = [...outbox.waiting()].find(({ frame }) => frame.capturedAt === at(0));
    assert.ok(first !== undefined);
    outbox.drop(first);
    assert.equal(outbox.takeLive(-8000)?.frame.capturedAt, at(1));
    await keeper.tick();
    assert.deepEqual(dropped, [['spool-free', [at(2), at(3)]]]);
  });

  it('finds the frames of other cameras if the folder of one cannot be read, and keeps to its limits', async (t) => {
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

  it('removes the confirmed frames that an earlier process kept if it is to keep none', async (t) => {
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
