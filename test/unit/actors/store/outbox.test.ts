/** The order in which frames leave the spool. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIVE_MS, Outbox } from '../../../../src/actors/store/outbox';
import { seededRandom } from '../../../../lab/random';
import { frameOf } from './frames';

describe('the outbox', () => {
  it('returns live frames of all cameras by age, one of a camera at a time', () => {
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

  it('calls a frame delayed if it has waited for longer than a live one may', () => {
    const outbox = new Outbox();
    outbox.add(frameOf(1), 0);
    assert.equal(outbox.takeLive(LIVE_MS + 1), undefined);
    assert.equal(outbox.takeDelayed('oldest-first')?.delayed, true);
    outbox.add(frameOf(2, 'b'), 0);
    assert.equal(outbox.takeLive(LIVE_MS)?.delayed, false);
  });

  it('uses the time frames have waited, not their timestamps, because the clock may be set', () => {
    const outbox = new Outbox();
    outbox.add(frameOf(1_700_003_600_000), 0);
    outbox.add(frameOf(1_700_000_001_000), 1000);
    assert.equal(outbox.takeLive(1000)?.frame.capturedAt, 1_700_003_600_000);
    outbox.settle(frameOf(1_700_003_600_000));
    assert.equal(outbox.takeLive(1000)?.frame.capturedAt, 1_700_000_001_000);
  });

  it('knows a frame until its file is removed and two listings of the spool have begun since', () => {
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
