/** Delivery from the spool: what goes first, how much at once, what an outage does, and that nothing is lost. */
import assert from 'node:assert/strict';
import fs, { mkdir, readdir, truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Frame } from '../../../../src/contract/frame';
import { spoolName } from '../../../../src/spool/names';
import { EXPIRE_MS, offsets, openBench, waitingIn, type Bench } from '../../../../lab/delivery-bench';
import { seededRandom } from '../../../../lab/random';
import { settled, until } from '../../../../lab/until';

const MAX_IN_FLIGHT = 16;
const MAX_DELAYED_IN_FLIGHT = 8;
/** They say nothing about the picture: rights, failing and remote disks, shortages of the process. */
const UNREADABLE = ['EACCES', 'EPERM', 'EIO', 'ESTALE', 'ETIMEDOUT', 'EMFILE', 'EHOSTDOWN'];

/** Mocks timers, and jitter at its full length, so that pauses are exact. */
async function openTimedBench(
  t: TestContext,
  cameras?: number,
  replay?: Parameters<typeof openBench>[2],
): Promise<Bench & { tick(ms: number): void }> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(Math, 'random', () => 1);
  const bench = await openBench(t, cameras, replay);
  bench.clockStands = true;
  return Object.assign(bench, {
    tick: (ms: number) => {
      bench.aheadMs += ms;
      t.mock.timers.tick(ms);
    },
  });
}

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

  it('that the spool no longer has is given up, and told', async (t) => {
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

  it('that is damaged is set aside, reported as such, and holds nothing up', async (t) => {
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
    const frames = await bench.spooled(...offsets(0, 60));
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
      offsets(0, 60),
    );
    // A file goes after its frame was called delivered.
    while ((await bench.waiting()).length > 0) await settled(1);
  });
});

describe('delivery', () => {
  it(`has ${MAX_IN_FLIGHT} frames in flight at most, and as many when there are`, async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    for (const frame of await bench.spooled(...offsets(0, 40))) bench.offerLive(frame);
    await until('as many as may', () => bench.writing.size === MAX_IN_FLIGHT);
    await settled();
    assert.equal(bench.writing.size, MAX_IN_FLIGHT);
    bench.release();
    await until('delivered', () => bench.delivered.length === 40);
    assert.equal(bench.most.writing, MAX_IN_FLIGHT);
  });

  it('counts a frame as in flight until it is confirmed', async (t) => {
    const bench = await openBench(t);
    bench.broker = 'nothing';
    for (const frame of await bench.spooled(...offsets(0, 40))) bench.offerLive(frame);
    await until('announced', () => bench.announced.length === MAX_IN_FLIGHT);
    await settled();
    assert.equal(bench.stored.length, MAX_IN_FLIGHT);
    bench.delivery.announced(bench.announced[7]?.id ?? '', undefined);
    await until('the next', () => bench.announced.length === MAX_IN_FLIGHT + 1);
    await settled();
    assert.equal(bench.stored.length, MAX_IN_FLIGHT + 1);
  });

  it('sends both writes of a frame together: they take one round trip', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    for (const frame of await bench.spooled(0)) bench.offerLive(frame);
    await until('it is being written', () => bench.writing.size === 1);
    await until('so is the latest key', () => bench.latest.length === 1);
    assert.deepEqual([bench.latest, bench.announced], [[0], []]);
  });

  it('takes live frames before the backlog, and always has room for them', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    const old = await bench.spooled(...offsets(0, 30));
    const live = await bench.spooled(...offsets(1056, 12));
    bench.offerBacklog(old);
    await until('as many as may', () => bench.writing.size === MAX_DELAYED_IN_FLIGHT);
    for (const frame of live) bench.offerLive(frame);
    await until('live ones too', () => bench.writing.size === MAX_IN_FLIGHT);
    assert.deepEqual(bench.writing, new Set([...offsets(0, 8), ...offsets(1056, 8)]));
    bench.releaseHeld();
    await until('as many again', () => bench.stored.length === 2 * MAX_IN_FLIGHT - 4);
    assert.deepEqual(bench.writing, new Set([...offsets(1064, 4), ...offsets(8, 8)]));
    bench.release();
    await until('delivered', () => bench.delivered.length === 42);
  });

  it('has one frame of a camera in flight, and keeps to the order of capture', async (t) => {
    const bench = await openBench(t, 3);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(...offsets(0, 9)));
    for (let round = 0; round < 3; round++) {
      await until('one of each camera', () => bench.announced.length === 3 * (round + 1));
      await settled(20);
      assert.equal(bench.announced.length, 3 * (round + 1));
      for (const { id } of bench.announced.slice(3 * round)) bench.delivery.announced(id, undefined);
    }
    await until('delivered', () => bench.delivered.length === 9);
    for (const camera of [0, 1, 2])
      assert.deepEqual(
        bench.announced.map(({ at }) => at).filter((at) => at % 3 === camera),
        [camera, camera + 3, camera + 6],
      );
  });

  it('lets no camera wait for another', async (t) => {
    const bench = await openBench(t, 2);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(...offsets(0, 20)));
    for (let done = 1; done <= 10; done++) {
      await until('the next of camera 1', () => bench.announced.length === 1 + done);
      bench.delivery.announced(bench.announced.findLast(({ at }) => at % 2 === 1)?.id ?? '', undefined);
      await until('confirmed', () => bench.delivered.length === done);
    }
    assert.deepEqual(
      bench.delivered,
      offsets(0, 20).filter((at) => at % 2 === 1),
    );
  });

  it('begins no more once many bytes are in flight, and one frame however large', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    const large = 13 * 1024 * 1024;
    const frames = await bench.spooledOf(large, ...offsets(0, 4));
    for (const frame of frames) bench.offerLive(frame);
    await until('two', () => bench.writing.size === 2);
    await settled();
    assert.equal(bench.writing.size, 2);
    bench.release();
    await until('delivered', () => bench.delivered.length === 4);
  });

  it('keeps the backlog to its rate, and live frames out of it', async (t) => {
    const bench = await openTimedBench(t, 64, { replay: 'oldest-first', replayRate: 20 });
    bench.offerBacklog(await bench.spooled(...offsets(0, 30)));
    await until('a burst', () => bench.delivered.length >= 2);
    await settled();
    const burst = bench.delivered.length;
    assert.ok(burst <= 3, String(burst));
    for (const frame of await bench.spooled(...offsets(1040, 10))) bench.offerLive(frame);
    await until('all live ones', () => bench.delivered.filter((at) => at >= 1040).length === 10);
    const delayed = () => bench.delivered.filter((at) => at < 1040).length;
    for (let ticks = 0; ticks < 20; ticks++) {
      const before = delayed();
      bench.tick(51);
      await until('the next', () => delayed() > before);
    }
    await settled();
    assert.ok(delayed() <= burst + 22, String(delayed()));
  });

  it('takes the newest first when that is wanted', async (t) => {
    const bench = await openBench(t, 1, { replay: 'newest-first', replayRate: 10_000 });
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('delivered', () => bench.delivered.length === 5);
    assert.deepEqual(bench.delivered, [4, 3, 2, 1, 0]);
  });

  it('takes none of the backlog when that is wanted', async (t) => {
    const bench = await openBench(t, 64, { replay: 'none', replayRate: 10_000 });
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    for (const frame of await bench.spooled(99)) bench.offerLive(frame);
    await until('the live one', () => bench.delivered.length === 1);
    await settled();
    assert.deepEqual(bench.delivered, [99]);
  });

  it('passes over answers that nobody waits for', async (t) => {
    const bench = await openBench(t);
    bench.delivery.announced('gate-1', undefined);
    bench.delivery.announced('gate-1', { code: 'x', message: 'y' });
    bench.delivery.notifierLost();
    bench.delivery.resume();
    bench.offerBacklog(await bench.spooled(0));
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual(bench.faults, []);
  });
});

describe('an outage', () => {
  it('of Redis: one frame at a time probes it, with doubled pauses', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    bench.offerBacklog(await bench.spooled(0));
    await until('the first try', () => bench.faults.length === 1);
    let tries = 1;
    for (const pauseMs of [250, 500, 1000, 1000, 1000]) {
      bench.tick(pauseMs - 1);
      await settled(20);
      assert.equal(bench.stored.length, tries, `before ${pauseMs} ms`);
      bench.tick(1);
      tries++;
      await until(`try ${tries}`, () => bench.faults.length === tries);
    }
    assert.equal(bench.stored.length, tries);
    assert.ok(bench.faults.every(({ fault, damaged }) => fault.code === 'redis-unreachable' && !damaged));
    assert.deepEqual(await bench.waiting(), [0]);
  });

  it('of Redis: when the probe gets through, everything follows at full speed', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    for (const frame of await bench.spooled(...offsets(0, 60))) bench.offerLive(frame);
    await until('the first tries', () => bench.faults.length === MAX_IN_FLIGHT);
    bench.tick(3000);
    await until('the probe', () => bench.faults.length === MAX_IN_FLIGHT + 1);
    await settled(20);
    assert.equal(bench.stored.length, MAX_IN_FLIGHT + 1, 'one probe');
    bench.redis = 'held';
    bench.tick(3000);
    await until('the next probe', () => bench.writing.size === 1);
    await settled(20);
    assert.equal(bench.writing.size, 1, 'one probe');
    bench.releaseHeld();
    await until('full speed of the backlog', () => bench.writing.size === MAX_DELAYED_IN_FLIGHT);
    bench.release();
    await until('delivered', () => bench.delivered.length === 60);
    assert.deepEqual(await bench.waiting(), []);
  });

  it('of Redis: loses nothing that arrives meanwhile', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    for (const frame of await bench.spooled(...offsets(0, 20))) bench.offerLive(frame);
    await until('the first tries', () => bench.faults.length === MAX_IN_FLIGHT);
    for (const frame of await bench.spooled(...offsets(1000, 20))) bench.offerLive(frame);
    bench.redis = 'up';
    bench.tick(3000);
    await until('delivered', () => bench.delivered.length === 40);
    assert.deepEqual(await bench.waiting(), []);
    assert.equal(bench.outbox.frames, 0);
  });

  it('ends early when a server says it is ready', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('the first tries', () => bench.faults.length === 5);
    bench.redis = 'up';
    bench.delivery.resume();
    await until('delivered', () => bench.delivered.length === 5);
  });

  it('of the broker (nack): the frame stays, and is announced again, as delayed once it is old', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nack';
    const [frame] = await bench.spooled(0);
    assert.ok(frame !== undefined);
    bench.offerLive(frame);
    await until('refused', () => bench.faults.length === 1);
    assert.deepEqual(await bench.waiting(), [0]);
    assert.equal(bench.faults[0]?.fault.code, 'broker-nack');
    bench.tick(3000);
    await until('refused again', () => bench.faults.length === 2);
    bench.broker = 'confirm';
    bench.tick(3000);
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual(
      bench.announced.map(({ id, delayed }) => [id, delayed]),
      [
        ['cam0-1700000000000', false],
        ['cam0-1700000000000', false],
        ['cam0-1700000000000', true],
      ],
    );
  });

  it('of the broker: while an answer is awaited the frame is stored again, so that it outlives its message', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(0));
    await until('announced', () => bench.announced.length === 1);
    const worked = bench.delivery.worked;
    for (let times = 2; times <= 5; times++) {
      await settled(20);
      bench.tick(EXPIRE_MS / 20);
      await until('stored again', () => bench.stored.length === times);
    }
    assert.equal(bench.delivery.worked, worked + 4, 'it gives signs of work');
    bench.delivery.announced('cam0-1700000000000', undefined);
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual([bench.announced.length, bench.faults], [1, []]);
  });

  it('of Redis between the write and the confirm: the frame is stored again before it leaves the spool', async (t) => {
    const bench = await openBench(t);
    bench.broker = 'nothing';
    bench.offerLive((await bench.spooled(0))[0] as Frame);
    await until('announced', () => bench.announced.length === 1);
    bench.session++;
    bench.redis = 'held';
    bench.delivery.announced('cam0-1700000000000', undefined);
    await until('being written', () => bench.writing.size === 1);
    assert.deepEqual([bench.delivered, await bench.waiting()], [[], [0]]);
    bench.release();
    await until('delivered', () => bench.delivered.length === 1);
    assert.deepEqual(bench.stored, [0, 0]);
  });

  it('of the notifier: when it is lost, all it owed is asked for again', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(...offsets(0, 8)));
    await until('announced', () => bench.announced.length === 8);
    bench.delivery.notifierLost();
    await until('failed', () => bench.faults.length === 8);
    assert.ok(bench.faults.every(({ fault }) => fault.code === 'notifier-lost'));
    assert.equal((await bench.waiting()).length, 8);
    bench.broker = 'confirm';
    bench.delivery.resume();
    await until('delivered', () => bench.delivered.length === 8);
    assert.deepEqual(await bench.waiting(), []);
    bench.tick(EXPIRE_MS);
    await settled(20);
    assert.equal(bench.faults.length, 8);
  });

  it('ends nothing for good: whatever fails when, all frames are delivered', async (t) => {
    const random = seededRandom(t);
    const bench = await openTimedBench(t);
    bench.offerBacklog(await bench.spooled(...offsets(0, 100)));
    for (let round = 0; round < 40; round++) {
      bench.redis = random.pick(['up', 'down']);
      bench.broker = random.pick(['confirm', 'nack', 'nothing']);
      if (round % 3 === 0) for (const frame of await bench.spooled(1000 + round)) bench.offerLive(frame);
      if (random.next() < 0.2) bench.delivery.notifierLost();
      if (random.next() < 0.2) bench.delivery.resume();
      bench.tick(random.between(1, 4000));
      await settled(5);
    }
    Object.assign(bench, { redis: 'up', broker: 'confirm' });
    bench.delivery.notifierLost();
    await until('delivered', () => {
      bench.tick(1000);
      return bench.outbox.frames === 0;
    });
    assert.deepEqual(await bench.waiting(), []);
    assert.equal(new Set(bench.delivered).size, 114);
    assert.equal(bench.delivered.length, 114);
  });

  it('makes the frames that waited through it delayed ones, behind those that are live when it ends', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    for (const frame of await bench.spooled(...offsets(0, 60))) bench.offerLive(frame);
    await until('the first tries', () => bench.faults.length === MAX_IN_FLIGHT);
    bench.tick(3000);
    await until('the probe', () => bench.faults.length === MAX_IN_FLIGHT + 1);
    for (const frame of await bench.spooled(...offsets(60, 4))) bench.offerLive(frame);
    bench.redis = 'up';
    bench.tick(3000);
    await until('delivered', () => bench.delivered.length === 64);
    const live = bench.announced.filter(({ delayed }) => !delayed).map(({ at }) => at);
    assert.deepEqual(new Set(live), new Set(offsets(60, 4)));
    assert.equal(bench.announced[0]?.delayed, false, 'the probe is a live one');
    // What is begun first may be overtaken by what is in flight beside it, while files are read.
    const last = bench.announced.findLastIndex(({ delayed }) => !delayed);
    assert.ok(last < MAX_IN_FLIGHT, String(last));
  });

  it('leaves the frames of a camera in the order of capture', async (t) => {
    const bench = await openTimedBench(t, 1);
    bench.redis = 'down';
    for (const frame of await bench.spooled(...offsets(0, 10))) bench.offerLive(frame);
    for (let tries = 1; tries <= 5; tries++) {
      await until(`try ${tries}`, () => bench.faults.length === tries);
      bench.tick(3000);
    }
    bench.redis = 'up';
    await until('delivered', () => {
      bench.tick(3000);
      return bench.delivered.length === 10;
    });
    assert.deepEqual(bench.delivered, offsets(0, 10));
  });

  it('is not over because a frame has gone from the spool', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    const frames = await bench.spooled(...offsets(0, 40));
    bench.offerBacklog(frames);
    await until('the first tries', () => bench.faults.length === MAX_DELAYED_IN_FLIGHT);
    // The spool's bound gives up what would be tried next.
    for (const frame of frames.slice(0, MAX_DELAYED_IN_FLIGHT)) await bench.spool.remove(frame);
    bench.delivery.resume();
    await until('another try', () => bench.faults.length > MAX_IN_FLIGHT);
    await settled();
    assert.equal(bench.faults.length, MAX_IN_FLIGHT + 1, 'one probe');
  });

  it('of Redis between store and latest: the announcement already made disturbs none that follows', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.latestFails = true;
    bench.offerBacklog(await bench.spooled(0));
    await until('failed', () => bench.faults.length === 1);
    bench.latestFails = false;
    bench.tick(250);
    await until('tried again', () => bench.latest.length === 2 && bench.announced.length > 0);
    await settled(20);
    bench.delivery.announced('cam0-1700000000000', undefined);
    await until('delivered', () => bench.delivered.length === 1);
  });
});

describe('stop', () => {
  it('begins nothing new, waits for what is in flight, and leaves the rest in the spool', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    const frames = await bench.spooled(...offsets(0, 40));
    for (const frame of frames) bench.offerLive(frame);
    await until('as many as may', () => bench.writing.size === MAX_IN_FLIGHT);
    const state = { stopped: false };
    const stopped = bench.delivery.stop().then(() => {
      state.stopped = true;
    });
    await settled();
    assert.equal(state.stopped, false);
    bench.release();
    await stopped;
    assert.equal(bench.stored.length, MAX_IN_FLIGHT);
    assert.deepEqual([bench.announced, await bench.waiting()], [[], offsets(0, 40)]);
    const [frame] = frames.slice(-1);
    assert.ok(frame !== undefined);
    bench.offerLive(frame);
    bench.offerBacklog(frames);
    bench.delivery.resume();
    await settled();
    assert.equal(bench.stored.length, MAX_IN_FLIGHT);
  });

  it('ends at once in a pause, after which nothing is tried', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('the first tries', () => bench.faults.length === 5);
    await bench.delivery.stop();
    bench.redis = 'up';
    bench.tick(60_000);
    await settled();
    assert.equal(bench.stored.length, 5);
    assert.equal((await bench.waiting()).length, 5);
  });

  it('leaves no timer behind', async (t) => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const bench = await openBench(t);
    bench.redis = 'down';
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('the first tries', () => bench.faults.length >= 5);
    await bench.delivery.stop();
    assert.equal(timers(), before);
  });

  it('of nothing ends at once', async (t) => {
    const bench = await openBench(t);
    await bench.delivery.stop();
    await bench.delivery.stop();
  });

  it('leaves a frame that fails meanwhile in the spool, and begins no pause', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(0));
    await until('announced', () => bench.announced.length === 1);
    const stopped = bench.delivery.stop();
    bench.delivery.notifierLost();
    await stopped;
    bench.tick(60_000);
    await settled();
    assert.deepEqual([bench.stored, await bench.waiting()], [[0], [0]]);
  });

  it('gives up the answers that are still due: the frames stay in the spool', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('announced', () => bench.announced.length === 5);
    await bench.delivery.stop();
    assert.deepEqual([await bench.waiting(), bench.delivered], [offsets(0, 5), []]);
  });

  it('asks for no answer any more, also for a frame that was being written', async (t) => {
    const bench = await openTimedBench(t);
    Object.assign(bench, { redis: 'held', broker: 'nothing' });
    bench.offerBacklog(await bench.spooled(0));
    await until('being written', () => bench.writing.size === 1);
    const state = { stopped: false };
    const stopped = bench.delivery.stop().then(() => {
      state.stopped = true;
    });
    bench.release();
    bench.tick(2400);
    await settled();
    const inTime = state.stopped;
    bench.delivery.notifierLost();
    await stopped;
    assert.ok(inTime, 'within the 2500 ms the supervisor gives the store');
  });
});

describe('drain', () => {
  it('waits until all that is queued is delivered', async (t) => {
    const bench = await openBench(t, 3);
    bench.offerBacklog(await bench.spooled(...offsets(0, 60)));
    await bench.delivery.drain(60_000);
    assert.equal(bench.delivered.length, 60);
  });

  it('of nothing ends at once', async (t) => {
    await (await openBench(t)).delivery.drain(60_000);
  });

  it('ends when a server fails', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    bench.offerBacklog(await bench.spooled(...offsets(0, 60)));
    await bench.delivery.drain(60_000);
    assert.ok(bench.faults.length > 0);
    assert.equal((await bench.waiting()).length, 60);
  });

  it('ends at its deadline', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'held';
    bench.offerBacklog(await bench.spooled(0));
    const state = { drained: false };
    const drained = bench.delivery.drain(1500).then(() => {
      state.drained = true;
    });
    await until('being written', () => bench.writing.size === 1);
    bench.tick(1499);
    await settled();
    assert.equal(state.drained, false);
    bench.tick(1);
    await drained;
  });
});
