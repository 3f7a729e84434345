/** What an outage of a server does to deliveries, and that nothing is lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../../src/contract/frame';
import { EXPIRE_MS, offsets, openBench } from '../../../../lab/delivery-bench';
import { seededRandom } from '../../../../lab/random';
import { settled, until } from '../../../../lab/until';
import { MAX_DELAYED_IN_FLIGHT, openTimedBench, MAX_IN_FLIGHT } from './timed-bench';

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

  it('ends early when a server reports that it is ready', async (t) => {
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

  it('of the notifier: when it is lost, all pending answers are requested again', async (t) => {
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

  it('marks the frames that waited through it as delayed, after those that are live when it ends', async (t) => {
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
    // While files are read, a delivery may be overtaken by others in flight.
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

  it('is not over because a frame has left the spool', async (t) => {
    const bench = await openTimedBench(t);
    bench.redis = 'down';
    const frames = await bench.spooled(...offsets(0, 40));
    bench.offerBacklog(frames);
    await until('the first tries', () => bench.faults.length === MAX_DELAYED_IN_FLIGHT);
    // The limit of the spool drops the frame that would be tried next.
    for (const frame of frames.slice(0, MAX_DELAYED_IN_FLIGHT)) await bench.spool.remove(frame);
    bench.delivery.resume();
    await until('another try', () => bench.faults.length > MAX_IN_FLIGHT);
    await settled();
    assert.equal(bench.faults.length, MAX_IN_FLIGHT + 1, 'one probe');
  });

  it('of Redis between store and latest: the announcement already made disturbs none of the later ones', async (t) => {
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
