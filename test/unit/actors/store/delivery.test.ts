/** Delivery from the spool: what is sent first, and how much at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offsets, openBench } from '../../../../lab/delivery-bench';
import { settled, until } from '../../../../lab/until';
import { MAX_DELAYED_IN_FLIGHT, openTimedBench, MAX_IN_FLIGHT } from './timed-bench';

describe('delivery', () => {
  it(`has at most ${MAX_IN_FLIGHT} frames in flight, and that many if enough wait`, async (t) => {
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

  it('sends both writes of a frame together, in one round trip', async (t) => {
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

  it('does not make a camera wait for another', async (t) => {
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

  it('starts no more once many bytes are in flight, but always one frame, however large', async (t) => {
    const bench = await openBench(t);
    bench.redis = 'held';
    const large = 13 * 1024 * 1024;
    const frames = await bench.spooledOf(large, ...offsets(0, 3));
    for (const frame of frames) bench.offerLive(frame);
    await until('two', () => bench.writing.size === 2);
    await settled();
    assert.equal(bench.writing.size, 2);
    bench.release();
    await until('delivered', () => bench.delivered.length === 3);
  });

  it('limits the backlog to its rate, and does not count live frames', async (t) => {
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

  it('takes the newest first if configured', async (t) => {
    const bench = await openBench(t, 1, { replay: 'newest-first', replayRate: 10_000 });
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('delivered', () => bench.delivered.length === 5);
    assert.deepEqual(bench.delivered, [4, 3, 2, 1, 0]);
  });

  it('takes none of the backlog if so configured', async (t) => {
    const bench = await openBench(t, 64, { replay: 'none', replayRate: 10_000 });
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    for (const frame of await bench.spooled(99)) bench.offerLive(frame);
    await until('the live one', () => bench.delivered.length === 1);
    await settled();
    assert.deepEqual(bench.delivered, [99]);
  });

  it('ignores answers that nothing waits for', async (t) => {
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

describe('drain', () => {
  it('waits until everything queued is delivered', async (t) => {
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
