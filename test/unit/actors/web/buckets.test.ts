/** The ledger in equal intervals: every period is in one of them, once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketsOf, spanOf } from '../../../../src/actors/web/ledger/buckets';
import { CONFIRMED, WAITING, type Fate } from '../../../../src/ledger/fate';
import { Runs } from '../../../../src/ledger/runs';
import { seededRandom } from '../../../../lab/random';

const BEGIN = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);

function account(periodMs: number, ...runs: readonly [first: number, last: number, fate: Fate][]) {
  const kept = new Runs();
  const base = BEGIN / periodMs;
  for (const [first, last, fate] of runs) kept.assign(base + first, base + last, fate);
  return { id: { camera: 'gate', openedAt: 1, periodMs, first: base }, runs: kept };
}

describe('buckets of the ledger', () => {
  it('count the periods that begin in them', () => {
    const gap: Fate = { state: 'gap', reason: 'stalled' };
    const accounts = [
      account(1000, [0, 59, CONFIRMED], [60, 89, gap], [90, 118, CONFIRMED], [119, 119, WAITING]),
    ];
    assert.deepEqual(bucketsOf(accounts, { from: BEGIN, bucketMs: 60_000, buckets: 3 }), [
      { from: BEGIN, periods: 60, confirmed: 60, missed: {} },
      { from: BEGIN + 60_000, periods: 60, confirmed: 29, missed: { stalled: 30 } },
      { from: BEGIN + 120_000, periods: 0, confirmed: 0, missed: {} },
    ]);
  });

  it('add the accounts of a camera whose rate was changed', () => {
    const accounts = [
      account(1000, [0, 9, CONFIRMED]),
      account(500, [20, 39, { state: 'dropped', reason: 'spool-age' }]),
    ];
    assert.deepEqual(bucketsOf(accounts, { from: BEGIN, bucketMs: 20_000, buckets: 1 }), [
      { from: BEGIN, periods: 30, confirmed: 10, missed: { 'spool-age': 20 } },
    ]);
  });

  it('have every period once, whatever their length', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 200; round++) {
      const periodMs = random.pick([200, 1000, 3000, 10_000]);
      const periods = random.between(1, 500);
      const span = {
        from: BEGIN - 5000,
        bucketMs: random.pick([1000, 7000, 60_000]),
        buckets: random.between(1, 50),
      };
      const accounts = [account(periodMs, [0, periods - 1, CONFIRMED])];
      const found = bucketsOf(accounts, span).reduce((sum, each) => sum + each.periods, 0);
      const to = span.from + span.bucketMs * span.buckets;
      const expected = Array.from({ length: periods }, (_, i) => BEGIN + i * periodMs).filter(
        (at) => at < to,
      );
      assert.equal(found, expected.length);
    }
  });

  it('end with the present and stay on whole multiples', () => {
    const span = spanOf(BEGIN, 60, BEGIN + 3_600_000 - 500);
    assert.equal(span.bucketMs, 60_000);
    assert.equal(span.from % 60_000, 0);
    assert.ok(span.from + 60 * 60_000 >= BEGIN + 3_600_000 - 500);
    assert.deepEqual(spanOf(BEGIN, 1440, BEGIN + 10).bucketMs, 1000);
  });
});
