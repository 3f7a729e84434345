/** The periods of a plan when the clock is set. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SamplePlan, type Coded } from '../../../../../src/actors/camera/sampling/sample-plan';

const T = 1_700_000_000_000;
const KEYFRAME: Coded = { key: true, state: 'whole', inOrder: true, needed: true };

describe('a plan', () => {
  const take = (plan: SamplePlan, at: number, steadyMs: number) => {
    const decision = plan.decide(at, KEYFRAME, steadyMs);
    assert.ok(decision.kind === 'take');
    return decision.sample;
  };

  for (const setMs of [-56 * 365 * 86_400_000, -3_600_000, -3000])
    it(`continues at once when the clock is set back by ${-setMs} ms, and reports no gap`, () => {
      const plan = new SamplePlan(1000);
      take(plan, T, 0);
      const capturedAt = T + 500 + setMs;
      assert.deepEqual(take(plan, capturedAt, 500), { capturedAt, sequence: Math.floor(capturedAt / 1000) });
    });

  it('waits out a clock that is set back by a little: times never decrease', () => {
    const plan = new SamplePlan(1000);
    take(plan, T, 0);
    for (const back of [-2900, -2000, -1000, 0])
      assert.notEqual(plan.decide(T + back, KEYFRAME, 2950 + back).kind, 'take');
    assert.equal(plan.decide(T + 1000, KEYFRAME, 3950).kind, 'take');
  });

  it('misses no period that a clock was set forward over, only those without a picture', () => {
    const plan = new SamplePlan(1000);
    const first = 1_700_000_000;
    const hour = 3_600_000;
    take(plan, T, 0);
    assert.deepEqual(take(plan, T + 1000 + hour, 1000), {
      capturedAt: T + 1000 + hour,
      sequence: first + 3601,
    });
    assert.deepEqual(take(plan, T + 5000 + 2 * hour, 5000), {
      capturedAt: T + 5000 + 2 * hour,
      sequence: first + 7205,
      missed: { firstSequence: first + 3602, lastSequence: first + 3604 },
    });
  });

  it('misses no period when a clock that began in 1970 is set', () => {
    const plan = new SamplePlan(1000);
    take(plan, 60_000, 0);
    assert.equal(take(plan, T, 1000).missed, undefined);
  });

  it('counts the periods of a silent feed as missed, however late its packets are read', () => {
    const plan = new SamplePlan(1000);
    take(plan, T, 0);
    assert.deepEqual(take(plan, T + 60_000, 60_000).missed, {
      firstSequence: 1_700_000_001,
      lastSequence: 1_700_000_059,
    });
  });
});
