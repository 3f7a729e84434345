/** The rate of a feed as a probe reports it, whatever the server sends at the start. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MeasuringPlan } from '../../../../../src/actors/camera/capture/probe';
import { cameraSpec } from '../../../../../lab/camera-spec';

const FPS = 10;

/** @param burst pictures that arrive at once when the feed is opened */
function measured(seconds: number, burst: number): MeasuringPlan {
  const plan = new MeasuringPlan(cameraSpec(), () => undefined);
  const see = (ms: number, key: boolean) =>
    plan.decide(ms, { key, state: 'whole', inOrder: true, needed: true }, ms);
  for (let i = 0; i < burst; i++) see(i, i === 0);
  for (let n = 0; n <= FPS * seconds; n++) see(burst + (1000 * n) / FPS, n % FPS === 0);
  return plan;
}

function rateOf(seconds: number, burst: number): number | undefined {
  return measured(seconds, burst).packetsPerSecond;
}

describe('the rate of a feed', () => {
  it('does not count pictures that the server had buffered since its last keyframe', () => {
    for (const burst of [0, 1, 25, 250]) {
      const rate = rateOf(5, burst);
      assert.ok(rate !== undefined && Math.abs(rate - FPS) < 0.1, `${burst} pictures at once: ${rate}`);
    }
  });

  it('is that of all pictures of a short feed, and unknown for one picture', () => {
    assert.equal(rateOf(1, 0), FPS);
    assert.equal(rateOf(0, 0), undefined);
  });

  it('is unknown for a feed that was reopened and has sent nothing since', () => {
    const plan = measured(5, 0);
    plan.reopen();
    assert.equal(plan.packetsPerSecond, undefined);
  });
});
