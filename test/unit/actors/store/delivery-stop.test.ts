/** The end of deliveries: nothing new begins, and what is not confirmed stays in the spool. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offsets, openBench } from '../../../../lab/delivery-bench';
import { settled, until } from '../../../../lab/until';
import { openTimedBench, MAX_IN_FLIGHT } from './timed-bench';

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

  it('gives up pending answers: the frames stay in the spool', async (t) => {
    const bench = await openTimedBench(t);
    bench.broker = 'nothing';
    bench.offerBacklog(await bench.spooled(...offsets(0, 5)));
    await until('announced', () => bench.announced.length === 5);
    await bench.delivery.stop();
    assert.deepEqual([await bench.waiting(), bench.delivered], [offsets(0, 5), []]);
  });

  it('requests no more answers, even for a frame that was being written', async (t) => {
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
