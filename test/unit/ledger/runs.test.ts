/** Runs of periods with the same fate. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIRMED, WAITING, type Fate } from '../../../src/ledger/fate';
import { Runs } from '../../../src/ledger/runs';
import { seededRandom } from '../../../lab/random';

function gap(reason: string): Fate {
  return { state: 'gap', reason };
}

describe('runs of periods', () => {
  it('are joined when equal and split when overwritten, as a list of single periods would be', (t) => {
    const random = seededRandom(t);
    const fates = [CONFIRMED, WAITING, gap('a'), gap('b')];
    for (let round = 0; round < 50; round++) {
      const [runs, single] = [new Runs(), new Map<number, Fate>()];
      for (let i = 0; i < 60; i++) {
        const first = random.between(0, 40);
        const last = first + random.between(-1, 6);
        const fate = random.pick(fates);
        runs.assign(first, last, fate);
        for (let sequence = first; sequence <= last; sequence++) single.set(sequence, fate);
      }
      for (let sequence = -1; sequence < 50; sequence++)
        assert.equal(runs.fateAt(sequence), single.get(sequence));
      runs.all.forEach((run, i) => {
        const next = runs.all[i + 1];
        assert.ok(run.first <= run.last);
        assert.ok(next === undefined || next.first > run.last);
        assert.ok(next === undefined || next.first > run.last + 1 || next.fate !== run.fate);
      });
    }
  });

  it('are cut to what is asked for', () => {
    const runs = new Runs();
    runs.assign(1, 10, CONFIRMED);
    runs.assign(4, 5, WAITING);
    assert.deepEqual(runs.between(5, 7), [
      { first: 5, last: 5, fate: WAITING },
      { first: 6, last: 7, fate: CONFIRMED },
    ]);
  });
});
