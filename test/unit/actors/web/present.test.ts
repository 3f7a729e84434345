/** No old picture is shown as current. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../../../src/actors/web/http/problem';
import { noPicture, throwUnlessPresent } from '../../../../src/actors/web/pictures/present';
import { thumbnailWidth } from '../../../../src/actors/web/pictures/gallery';
import { presentMs } from '../../../../src/supervisor/camera-condition';
import type { Frame } from '../../../../src/contract/frame';

const NOW = 1_700_000_000_000;
const frame = (ageMs: number, clock: Partial<Frame> = {}): Frame => ({
  ...{ camera: 'gate', capturedAt: NOW - ageMs, sequence: 1, width: 8, height: 8, format: 'jpeg', bytes: 9 },
  ...clock,
});
const judged = (of: Frame, periodMs?: number) => {
  try {
    throwUnlessPresent(of, periodMs, undefined, NOW);
    return 'present';
  } catch (error) {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.status, error.body.capturedAt], [404, of.capturedAt]);
    return error.message;
  }
};

describe('the newest picture of a camera', () => {
  it('is its present one for ten seconds, or three periods of a slow camera', () => {
    assert.deepEqual([presentMs(), presentMs(1000), presentMs(5000)], [10_000, 10_000, 15_000]);
    assert.equal(judged(frame(9_900)), 'present');
    assert.match(judged(frame(10_100)), /^the newest picture of gate is 10 s old, more than 10 s$/);
    assert.equal(judged(frame(14_000), 5000), 'present');
    assert.match(judged(frame(16_000), 5000), /16 s old, more than 15 s$/);
    assert.match(judged(frame(3 * 3_600_000)), /is 3 h old/);
  });

  it('has its age by the clock of this machine, whatever the camera’s clock says', () => {
    assert.equal(judged(frame(60_000, { clock: 'camera', clockSkewMs: -60_000 })), 'present');
    assert.match(judged(frame(0, { clock: 'camera', clockSkewMs: 60_000 })), /60 s old/);
    // A picture held back by a slow link keeps its true age.
    assert.match(judged(frame(12_000, { clock: 'arrival', linkDelayMs: 12_000 })), /12 s old/);
  });

  it('is absent if the clock was set back since', () =>
    assert.match(
      judged(frame(-3_600_000)),
      /has a time 60 min ahead of this machine's clock, which was set back/,
    ));

  it('says why there is no newer one', () => {
    const fault = { code: 'refused', message: 'it refuses connections' };
    assert.throws(
      () => throwUnlessPresent(frame(60_000), 1000, { condition: 'quarantined', fault } as never, NOW),
      /is 60 s old, more than 10 s: it refuses connections$/,
    );
    assert.match(
      noPicture('gate', { condition: 'starting' }).message,
      /^there is no picture of gate: it is starting$/,
    );
  });
});

describe('a thumbnail', () => {
  it('has one of a few widths', () =>
    assert.deepEqual([16, 160, 161, 320, 1000, 1280, 1281, 8000].map(thumbnailWidth), [
      160,
      160,
      320,
      320,
      1280,
      1280,
      undefined,
      undefined,
    ]));
});
