/** The ledger of a fleet: the strongest fate that any node recorded for a period, and sums that are the elapsed time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fate } from '../../../src/ledger/fate';
import { Runs } from '../../../src/ledger/runs';
import { summarize, type Recorded } from '../../../src/ledger/summary';
import { unionOf } from '../../../src/ledger/union';
import { seededRandom } from '../../../lab/random';

type Part = readonly [first: number, last: number, state: Fate['state'], reason?: string];

/** What one node recorded of a camera with periods of one second, unless another length is given. */
function ledger(parts: readonly Part[], periodMs = 1000): Recorded {
  const runs = new Runs();
  for (const [first, last, state, reason = 'stalled'] of parts)
    runs.assign(first, last, state === 'confirmed' || state === 'waiting' ? { state } : { state, reason });
  const id = { camera: 'gate', periodMs, openedAt: 0, first: parts[0]?.[0] ?? 0 };
  return { accounts: [{ id, runs, toldThrough: -1 }], events: [], lastAt: 1, unreadable: 0 };
}

function said(...ledgers: readonly Recorded[]): string[] {
  return unionOf(ledgers).accounts.flatMap(({ runs }) =>
    runs.all.map(({ first, last, fate }) =>
      [`${first}-${last}`, fate.state, 'reason' in fate ? fate.reason : ''].join(' ').trim(),
    ),
  );
}

describe('the ledger of a fleet', () => {
  test('is confirmed over waiting over dropped over gap, whichever node reports it', () => {
    const states = ['gap', 'dropped', 'waiting', 'confirmed'] as const;
    for (const [i, strong] of states.entries())
      for (const weak of states.slice(0, i)) {
        const expected = strong === 'confirmed' || strong === 'waiting' ? strong : `${strong} stalled`;
        const both = [ledger([[5, 9, strong]]), ledger([[5, 9, weak]])] as const;
        assert.deepEqual(said(both[0], both[1]), [`5-9 ${expected}`]);
        assert.deepEqual(said(both[1], both[0]), [`5-9 ${expected}`]);
      }
  });

  test('is unowned for what no node recorded, and for what all believe to have been elsewhere', () => {
    const a = ledger([[0, 9, 'confirmed']]);
    const b = ledger([[15, 20, 'confirmed']]);
    assert.deepEqual(said(a, b), ['0-9 confirmed', '10-14 gap unowned', '15-20 confirmed']);
    const again = ledger([
      [0, 9, 'confirmed'],
      [10, 24, 'gap', 'elsewhere'],
      [25, 30, 'confirmed'],
    ]);
    assert.deepEqual(said(again, b), [
      '0-9 confirmed',
      '10-14 gap unowned',
      '15-20 confirmed',
      '21-24 gap unowned',
      '25-30 confirmed',
    ]);
  });

  test('keeps the reason of the node that tried', () => {
    const [a, b] = [ledger([[0, 9, 'gap', 'elsewhere']]), ledger([[3, 5, 'gap', 'refused']])];
    for (const found of [said(a, b), said(b, a)])
      assert.deepEqual(found, ['0-2 gap unowned', '3-5 gap refused', '6-9 gap unowned']);
  });

  test('does not count time twice if the length of the periods changed in between', () => {
    const before = ledger([[0, 9, 'confirmed']]);
    const meanwhile = ledger([[20, 39, 'confirmed']], 500);
    const after = ledger([[20, 29, 'confirmed']]);
    assert.deepEqual(said(before, meanwhile, after), ['0-9 confirmed', '20-29 confirmed', '20-39 confirmed']);
  });

  test('adds up to the time from the first record to the last, whatever the nodes recorded', (t) => {
    const random = seededRandom(t);
    for (let turn = 0; turn < 200; turn++) {
      const ledgers = Array.from({ length: 3 }, () => {
        const parts: Part[] = [];
        let at = random.between(0, 20);
        for (let i = 0; i < random.between(1, 6); i++) {
          const last = at + random.between(0, 9);
          const state = random.pick(['confirmed', 'waiting', 'dropped', 'gap'] as const);
          parts.push([at, last, state, random.pick(['elsewhere', 'stalled'])]);
          at = last + 1 + random.between(0, 3);
        }
        return ledger(parts);
      });
      const all = ledgers.flatMap(({ accounts }) => accounts.flatMap(({ runs }) => runs.all));
      const [first, last] = [
        Math.min(...all.map((run) => run.first)),
        Math.max(...all.map((run) => run.last)),
      ];
      const [camera] = summarize(unionOf(ledgers), 0).cameras;
      assert.ok(camera !== undefined);
      const { periods, confirmed, waiting, dropped, gap } = camera;
      const sum = (counts: Readonly<Record<string, number>>) =>
        Object.values(counts).reduce((total, count) => total + count, 0);
      assert.equal(periods, last - first + 1);
      assert.equal(confirmed + waiting + sum(dropped) + sum(gap), periods);
      const isConfirmed = (at: number) =>
        all.some((run) => run.fate.state === 'confirmed' && run.first <= at && at <= run.last);
      const expected = Array.from({ length: periods }, (_, i) => first + i).filter(isConfirmed);
      assert.equal(confirmed, expected.length);
    }
  });
});
