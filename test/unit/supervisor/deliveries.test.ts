/** What was confirmed for each camera within the last minute. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deliveries } from '../../../src/supervisor/deliveries';

describe('the deliveries of a camera', () => {
  it('are those of the last minute, on a clock that is never set', () => {
    let now = 5_000_000;
    const deliveries = new Deliveries(() => now);
    for (let second = 0; second < 90; second++, now += 1000)
      deliveries.delivered([{ camera: 'gate' }, { camera: 'gate' }, { camera: 'yard' }]);
    now -= 1000;
    assert.equal(deliveries.of('gate').lastMinute, 120);
    assert.equal(deliveries.of('yard').lastMinute, 60);
    now += 30_000;
    assert.equal(deliveries.of('gate').lastMinute, 60);
    now += 31_000;
    assert.equal(deliveries.of('gate').lastMinute, 0);
    assert.ok(Math.abs((deliveries.of('gate').lastAtMs ?? 0) - Date.now()) < 60_000);
  });

  it('are none for a camera that delivered nothing, and none again once it is forgotten', () => {
    const deliveries = new Deliveries();
    assert.deepEqual(deliveries.of('gate'), { lastMinute: 0, perSecond: 0 });
    deliveries.captured({ camera: 'gate', width: 1920, height: 1080, format: 'jpeg', capturedAt: 5 });
    deliveries.delivered([{ camera: 'gate' }]);
    const { lastMinute, width, height, format, capturedAtMs } = deliveries.of('gate');
    assert.deepEqual([lastMinute, width, height, format, capturedAtMs], [1, 1920, 1080, 'jpeg', 5]);
    deliveries.forget('gate');
    assert.deepEqual(deliveries.of('gate'), { lastMinute: 0, perSecond: 0 });
  });
});

describe('the rate of a camera', () => {
  /** A clock, and a camera whose frames are captured every `periodMs` and confirmed a moment later. */
  function camera(periodMs: number) {
    let now = 7_000_400;
    const deliveries = new Deliveries(() => now);
    return {
      deliveries,
      wait: (ms: number) => (now += ms),
      run: (frames: number) => {
        for (let frame = 0; frame < frames; frame++, now += periodMs) {
          deliveries.captured({ camera: 'gate', width: 64, height: 36 });
          deliveries.delivered([{ camera: 'gate' }]);
        }
      },
    };
  }

  for (const [periodMs, frames, rate] of [
    [1000, 2, 1],
    [1000, 8, 1],
    [1000, 59, 1],
    [500, 16, 2],
    [5000, 4, 0.2],
    [200, 250, 5],
  ] as const)
    for (const afterMs of [periodMs / 100, periodMs / 2, periodMs - 1])
      it(`is ${rate}/s ${afterMs} ms after ${frames} frames at one per ${periodMs} ms`, () => {
        const { deliveries, run, wait } = camera(periodMs);
        run(frames);
        wait(afterMs - periodMs);
        assert.equal(deliveries.of('gate').perSecond.toFixed(2), rate.toFixed(2));
      });

  for (const firstMs of [1, 100, 300, 700, 999])
    it(`never exceeds 1/s if the second frame comes ${firstMs} ms after the first, as when a camera begins within a period`, () => {
      const { deliveries, run, wait } = camera(1000);
      run(1);
      wait(firstMs - 1000);
      for (let frame = 1; frame < 30; frame++) {
        run(1);
        wait(-1000);
        for (let ms = 0; ms < 1000; ms += 100, wait(100)) {
          const { perSecond } = deliveries.of('gate');
          assert.ok(
            perSecond < 1.005 && perSecond > 0.6,
            `${perSecond} with ${frame + 1} frames, ${ms} ms later`,
          );
        }
      }
    });

  it('is that of the last minute from then on', () => {
    const { deliveries, run } = camera(1000);
    run(600);
    const { perSecond } = deliveries.of('gate');
    assert.ok(perSecond > 0.97 && perSecond <= 1, String(perSecond));
  });

  it('is at most one per second after a single frame, and falls while no second one comes', () => {
    const { deliveries, run, wait } = camera(10_000);
    run(1);
    wait(-9_990);
    assert.equal(deliveries.of('gate').perSecond, 1);
    wait(9_990);
    assert.equal(deliveries.of('gate').perSecond, 0.1);
  });

  it('does not exceed what was delivered if many frames are confirmed at once', () => {
    const deliveries = new Deliveries(() => 5_000_000);
    deliveries.delivered(Array.from({ length: 50 }, () => ({ camera: 'gate' })));
    assert.equal(deliveries.of('gate').perSecond, 50);
  });

  it('counts from the first captured frame: one that is never confirmed lowers it', () => {
    const { deliveries, wait, run } = camera(1000);
    deliveries.captured({ camera: 'gate', width: 64, height: 36 });
    wait(10_000);
    run(10);
    assert.ok(Math.abs(deliveries.of('gate').perSecond - 0.5) < 0.03);
  });

  it('falls once deliveries stop', () => {
    const { deliveries, wait, run } = camera(1000);
    run(10);
    wait(10_000);
    assert.ok(Math.abs(deliveries.of('gate').perSecond - 0.5) < 0.03);
    wait(60_000);
    assert.equal(deliveries.of('gate').perSecond, 0);
  });

  it('starts again for a camera that was forgotten', () => {
    const { deliveries, wait, run } = camera(1000);
    run(5);
    deliveries.forget('gate');
    wait(40_000);
    run(5);
    assert.equal(deliveries.of('gate').perSecond, 1);
  });
});

describe('the last confirm', () => {
  it('is that of any camera, and undefined until a frame was confirmed', () => {
    const deliveries = new Deliveries();
    deliveries.captured({ camera: 'gate', width: 64, height: 36 });
    assert.equal(deliveries.lastConfirmAtMs, undefined);
    const before = Date.now();
    deliveries.delivered([{ camera: 'yard' }]);
    const { lastConfirmAtMs = 0 } = deliveries;
    assert.ok(lastConfirmAtMs >= before && lastConfirmAtMs <= Date.now());
    deliveries.forget('yard');
    assert.equal(deliveries.lastConfirmAtMs, lastConfirmAtMs);
  });
});
