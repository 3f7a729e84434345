/** What was confirmed of each camera within the last minute. */
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
    assert.deepEqual(deliveries.of('gate'), { lastMinute: 0, lastAtMs: undefined });
    deliveries.captured({ camera: 'gate', width: 1920, height: 1080, format: 'jpeg', capturedAt: 5 });
    deliveries.delivered([{ camera: 'gate' }]);
    const { lastMinute, width, height, format, capturedAtMs } = deliveries.of('gate');
    assert.deepEqual([lastMinute, width, height, format, capturedAtMs], [1, 1920, 1080, 'jpeg', 5]);
    deliveries.forget('gate');
    assert.equal(deliveries.of('gate').lastMinute, 0);
  });
});
