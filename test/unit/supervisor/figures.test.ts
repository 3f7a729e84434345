/** Totals for monitoring: each frame and each second without one is counted once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FigureKeeper, LATENCY_BOUNDS_S } from '../../../src/supervisor/figures';

const gap = (firstSequence: number, lastSequence: number, reason = 'stalled') => ({
  ...{ camera: 'gate', firstSequence, lastSequence, reason },
  missed: lastSequence - firstSequence + 1,
});

describe('the figures of a camera', () => {
  it('count frames by what became of them', () => {
    const keeper = new FigureKeeper(() => 10_000);
    for (let sequence = 0; sequence < 5; sequence++)
      keeper.captured({ camera: 'gate', sequence, capturedAt: 9000 });
    keeper.delivered([0, 1, 2].map((sequence) => ({ camera: 'gate', sequence, delayed: false })));
    keeper.dropped([3, 4].map((sequence) => ({ camera: 'gate', sequence, reason: 'spool-age' })));
    const { captured, confirmed, dropped } = keeper.figures.cameras['gate'] ?? assert.fail();
    assert.deepEqual([captured, confirmed, dropped], [5, 3, { 'spool-age': 2 }]);
    keeper.forget('gate');
    assert.deepEqual(keeper.figures.cameras, {});
  });

  it('count each second without a frame once, even if a gap is reported again', () => {
    const keeper = new FigureKeeper();
    keeper.periods({ camera: 'gate', periodMs: 2000 });
    keeper.missed(gap(10, 12));
    keeper.missed(gap(10, 12));
    keeper.missed(gap(11, 14));
    keeper.missed(gap(20, 20, 'refused'));
    keeper.periods({ camera: 'gate', periodMs: 2000 });
    keeper.missed(gap(20, 20, 'refused'));
    assert.deepEqual(keeper.figures.cameras['gate']?.gapMs, { stalled: 10_000, refused: 2000 });
  });

  it('continue if periods are renumbered', () => {
    const keeper = new FigureKeeper();
    keeper.periods({ camera: 'gate', periodMs: 500 });
    keeper.missed(gap(2000, 2001));
    keeper.periods({ camera: 'gate', periodMs: 1000 });
    keeper.missed(gap(1001, 1002));
    assert.deepEqual(keeper.figures.cameras['gate']?.gapMs, { stalled: 3000 });
  });
});

describe('the time from capture to confirm', () => {
  it('is counted in its class', () => {
    let nowMs = 0;
    const keeper = new FigureKeeper(() => nowMs);
    for (const [sequence, ms] of [90, 100, 101, 2000, 400_000, -5].entries()) {
      keeper.captured({ camera: 'gate', sequence, capturedAt: 1_000_000 });
      nowMs = 1_000_000 + ms;
      keeper.delivered([{ camera: 'gate', sequence, delayed: false }]);
    }
    const { counts, sumMs } = keeper.figures.latency;
    assert.equal(counts.length, LATENCY_BOUNDS_S.length + 1);
    assert.deepEqual(counts, [3, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    assert.equal(sumMs, 90 + 100 + 101 + 2000 + 400_000);
  });

  it('is remembered of a bounded number of frames', () => {
    const keeper = new FigureKeeper(() => 1000);
    for (let sequence = 0; sequence < 10_000; sequence++)
      keeper.captured({ camera: 'gate', sequence, capturedAt: 0 });
    keeper.delivered([0, 9999].map((sequence) => ({ camera: 'gate', sequence, delayed: true })));
    assert.equal(keeper.figures.latency.sumMs, 1000);
    assert.equal(keeper.figures.cameras['gate']?.confirmed, 2);
  });
});

describe('ends of actors', () => {
  it('are counted by actor and code', () => {
    const keeper = new FigureKeeper();
    for (const code of ['crashed', 'hung', 'crashed']) keeper.ended('web', code);
    assert.deepEqual(keeper.figures.ends, { web: { crashed: 2, hung: 1 } });
  });
});
