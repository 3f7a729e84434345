/** One frame on its way from the spool to its confirm. */
import assert from 'node:assert/strict';
import fs, { mkdir, readdir, truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { spoolName } from '../../../../src/spool/names';
import { offsets, openBench, waitingIn } from '../../../../lab/delivery-bench';
import { rounds, seededRandom } from '../../../../lab/random';
import { settled, until } from '../../../../lab/until';
import { MAX_DELAYED_IN_FLIGHT, openTimedBench } from './timed-bench';

/** They say nothing about the picture: permissions, failing and remote disks, shortages of the process. */
const UNREADABLE = ['EACCES', 'EPERM', 'EIO', 'ESTALE', 'ETIMEDOUT', 'EMFILE', 'EHOSTDOWN'];

describe('a frame', () => {
  it('is stored, made the latest, announced, and leaves the spool', async (t) => {
    const bench = await openBench(t);
    const [frame] = await bench.spooled(0);
    assert.ok(frame !== undefined);
    bench.offerLive(frame);
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual([bench.stored, bench.latest, bench.delivered], [[0], [0], [0]]);
    assert.deepEqual(bench.announced, [{ id: 'cam0-1700000000000', at: 0, delayed: false }]);
    assert.deepEqual(await bench.waiting(), []);
    assert.equal(bench.outbox.frames, 0);
  });

  it('is announced only when it is stored', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    bench.offerBacklog(await bench.spooled(0));
    await until('being written', () => bench.writing.size === 1);
    await settled();
    assert.deepEqual(bench.announced, []);
    bench.release();
    await until('announced', () => bench.announced.length === 1);
  });

  it('stays in the spool until it is confirmed', async (t) => {
    const bench = await openBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(0));
    await until('announced', () => bench.announced.length === 1);
    await settled();
    assert.deepEqual(await bench.waiting(), [0]);
    bench.delivery.announced('cam0-1700000000000', undefined);
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual(await bench.waiting(), []);
  });

  it('of the backlog is announced as delayed, a live one is not', async (t) => {
    const bench = await openBench(t);
    const [old, live] = await bench.spooled(0, 1);
    assert.ok(old !== undefined && live !== undefined);
    bench.offerBacklog([old]);
    bench.offerLive(live);
    await until('delivered', () => bench.delivered.length === 2);
    assert.deepEqual(
      new Map(bench.announced.map(({ at, delayed }) => [at, delayed])),
      new Map([
        [0, true],
        [1, false],
      ]),
    );
  });

  it('that the spool no longer has is given up and reported', async (t) => {
    const bench = await openBench(t);
    const frames = await bench.spooled(0, 1);
    await Promise.all(frames.map((frame) => bench.spool.remove(frame)));
    bench.offerBacklog(frames);
    await until('passed over', () => bench.outbox.frames === 0);
    assert.deepEqual([bench.stored, bench.delivered], [[], []]);
    assert.deepEqual(
      bench.faults.map(({ fault }) => fault.code),
      ['spool-missing', 'spool-missing'],
    );
  });

  it('that is damaged is set aside, reported as damaged, and holds nothing up', async (t) => {
    const bench = await openTimedBench(t);
    const frames = await bench.spooled(0, 1, 2);
    const [damaged] = frames;
    assert.ok(damaged !== undefined);
    await truncate(path.join(bench.dir, 'cam0', spoolName(damaged)), 2);
    bench.offerBacklog(frames);
    await until('delivered', () => bench.delivered.length === 2 && bench.outbox.frames === 0);
    assert.deepEqual(
      bench.faults.map(({ fault, damaged: isDamaged }) => [fault.code, isDamaged]),
      [['damaged-frame', true]],
    );
    assert.deepEqual(await readdir(path.join(bench.dir, 'cam0')), ['damaged']);
    assert.deepEqual(await readdir(path.join(bench.dir, 'cam0', 'damaged')), [spoolName(damaged)]);
    assert.ok(!bench.stored.includes(0));
  });

  it('that cannot be read does not hold up the others of its camera', async (t) => {
    const bench = await openTimedBench(t, 1);
    const frames = await bench.spooled(...offsets(0, 5));
    const [unreadable] = frames;
    assert.ok(unreadable !== undefined);
    await bench.spool.remove(unreadable);
    await mkdir(path.join(bench.dir, 'cam0', spoolName(unreadable)));
    bench.offerBacklog(frames);
    await until('delivered', () => bench.delivered.length === 4 && bench.outbox.frames === 1);
    assert.deepEqual(bench.delivered, offsets(1, 4));
    assert.deepEqual(
      bench.faults.map(({ fault, damaged }) => [fault.code, damaged]),
      [['spool-read', false]],
    );
    assert.equal(bench.outbox.unreadable, 1);
  });

  for (const code of UNREADABLE)
    it(`that cannot be opened (${code}) stays, is tried again with longer pauses, and is delivered when it can`, async (t) => {
      const bench = await openTimedBench(t);
      const frames = await bench.spooled(0, 1, 2);
      const [unreadable] = frames;
      assert.ok(unreadable !== undefined);
      const { open } = fs;
      const mock = t.mock.method(fs, 'open', (async (file, ...rest) => {
        if (String(file).endsWith(spoolName(unreadable))) throw Object.assign(new Error(code), { code });
        return open(file, ...rest);
      }) satisfies typeof fs.open);
      bench.offerBacklog(frames);
      await until('the others are delivered', () => bench.delivered.length === 2);
      let tries = 1;
      for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
        await until('it was tried', () => bench.faults.length === tries);
        bench.tick(pauseMs - 1);
        bench.delivery.wake();
        await settled();
        assert.equal(bench.faults.length, tries, `tried within ${pauseMs} ms`);
        bench.tick(1);
        bench.delivery.wake();
        tries++;
      }
      await until('it was tried', () => bench.faults.length === tries);
      assert.ok(bench.faults.every(({ fault, damaged }) => fault.code === 'spool-read' && !damaged));
      assert.deepEqual(await bench.waiting(), [0]);
      mock.mock.restore();
      bench.tick(30_000);
      bench.delivery.wake();
      await until('it is delivered', () => bench.delivered.length === 3 && bench.outbox.frames === 0);
      assert.equal(bench.outbox.unreadable, 0);
      assert.deepEqual(await bench.waiting(), []);
    });

  it('is in flight once, however often it is offered', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    const reads = t.mock.method(bench.spool, 'read').mock;
    const frames = await bench.spooled(...offsets(0, 30));
    for (let i = 0; i < 5; i++) {
      bench.offerBacklog(frames);
      for (const frame of frames) bench.offerLive(frame);
    }
    await until('as many as may', () => bench.writing.size === MAX_DELAYED_IN_FLIGHT);
    bench.offerBacklog(frames);
    assert.equal(bench.outbox.frames, 30);
    bench.release();
    await until('delivered', () => bench.delivered.length === 30);
    assert.equal(reads.callCount(), 30);
    bench.offerBacklog(frames);
    await until('passed over', () => bench.outbox.frames === 0);
    assert.deepEqual(
      bench.stored.toSorted((a, b) => a - b),
      offsets(0, 30),
    );
    assert.equal(bench.announced.length, 30);
  });

  it('is delivered once when hints, scans and answers come in any order', async (t) => {
    const random = seededRandom(t);
    // However long this takes on a busy machine, no confirm is late.
    const bench = await openTimedBench(t, 20);
    const count = rounds(60);
    const frames = await bench.spooled(...offsets(0, count));
    bench.broker = 'nothing';
    let answered = 0;
    for (let next = 0; bench.delivered.length < frames.length;) {
      const what = random.between(0, 3);
      const frame = frames[next];
      if (what === 0 && frame !== undefined) {
        bench.offerLive(frame);
        next++;
      } else if (what === 1) bench.offerBacklog(await waitingIn(bench.spool));
      else if (what === 2) {
        const open = bench.announced.slice(answered);
        if (open.length > 0) bench.delivery.announced(random.pick(open).id, undefined);
        while (bench.delivered.includes(bench.announced[answered]?.at ?? -1)) answered++;
      } else await settled(3);
    }
    assert.equal(new Set(bench.delivered).size, frames.length);
    assert.deepEqual(
      bench.stored.toSorted((a, b) => a - b),
      offsets(0, count),
    );
    // A file is removed after its frame was called delivered.
    while ((await bench.waiting()).length > 0) await settled(1);
  });
});
