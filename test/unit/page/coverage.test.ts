/** How the page's strips show the ledger's buckets. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiLedgerBucket } from '../../../src/actors/web/view/api';
import {
  coverage,
  isGap,
  kindOf,
  percentText,
  stretches,
  stretchText,
  summaryText,
} from '../../../web/coverage.js';
import { reasonText } from '../../../web/reasons.js';

const MINUTE = 60_000;

type Row = readonly [confirmed: number, missed?: Readonly<Record<string, number>>];

/** One bucket a minute: how many of 60 periods were confirmed, and why the others were not. */
function buckets(...rows: readonly Row[]): ApiLedgerBucket[] {
  return rows.map(([confirmed, missed = {}], i) => ({ from: i * MINUTE, periods: 60, confirmed, missed }));
}

describe('a bucket of the ledger is', () => {
  const rows: readonly [string, ApiLedgerBucket, string][] = [
    ['none where nothing was recorded', { from: 0, periods: 0, confirmed: 0, missed: {} }, 'none'],
    ['covered', { from: 0, periods: 60, confirmed: 60, missed: {} }, 'covered'],
    [
      'waiting where frames are not confirmed yet',
      { from: 0, periods: 60, confirmed: 40, missed: {} },
      'waiting',
    ],
    ['partial', { from: 0, periods: 60, confirmed: 59, missed: { stalled: 1 } }, 'partial'],
    ['missed', { from: 0, periods: 60, confirmed: 0, missed: { stalled: 20, refused: 40 } }, 'missed'],
    [
      'unwanted where the camera was disabled',
      { from: 0, periods: 60, confirmed: 0, missed: { disabled: 60 } },
      'unwanted',
    ],
    [
      'partial where a fault stands beside unwanted time',
      { from: 0, periods: 60, confirmed: 0, missed: { disabled: 59, stalled: 1 } },
      'partial',
    ],
  ];
  for (const [what, bucket, kind] of rows) test(what, () => assert.equal(kindOf(bucket), kind));
});

describe('stretches', () => {
  test('join neighbours of one kind and reason, and count what they hold', () => {
    const all = stretches(
      buckets([60], [60], [0, { stalled: 60 }], [0, { stalled: 60 }], [0, { refused: 60 }], [60]),
      MINUTE,
    );
    assert.deepEqual(
      all.map(({ kind, first, last }) => [kind, first, last]),
      [
        ['covered', 0, 1],
        ['missed', 2, 3],
        ['missed', 4, 4],
        ['covered', 5, 5],
      ],
    );
    assert.equal(all[1]?.periods, 120);
    assert.deepEqual(
      all.filter(isGap).map(({ missed }) => missed),
      [{ stalled: 120 }, { refused: 60 }],
    );
  });

  test('say how many frames were missed and why, the most frequent reason first', () => {
    const text = (...rows: readonly Row[]) => stretches(buckets(...rows), MINUTE).map(stretchText);
    assert.match(text([0, { stalled: 60 }])[0] ?? '', /: all 60 frames missed: the feed stopped sending$/);
    assert.match(text([59, { stalled: 1 }])[0] ?? '', /: 1 of 60 frames missed: the feed stopped sending$/);
    assert.match(
      text([0, { starting: 10, refused: 50 }])[0] ?? '',
      /: all 60 frames missed: the camera refused the connection \(50\); Vigil was starting the camera \(10\)$/,
    );
    assert.match(text([60])[0] ?? '', /: every frame was delivered$/);
    assert.match(text([0, { disabled: 60 }])[0] ?? '', /: no frame wanted, the camera was disabled$/);
  });
});

describe('coverage', () => {
  test('is the share of confirmed periods among those that are decided and were wanted', () => {
    assert.equal(coverage(buckets([60], [0, { stalled: 30, disabled: 30 }])), 60 / 90);
    assert.equal(coverage(buckets([0, { disabled: 60 }])), undefined);
    assert.equal(coverage(buckets([30])), 1);
  });

  test('is rounded down: only a whole hour is 100 %', () => {
    assert.equal(percentText(1), '100 %');
    assert.equal(percentText(0.99999), '99.9 %');
    assert.equal(percentText(0), '0 %');
  });

  test('is summed up in a sentence with the number of gaps', () => {
    const all = buckets([60], [50, { stalled: 10 }], [60]);
    assert.equal(
      summaryText(stretches(all, MINUTE), coverage(all), 'In the last hour'),
      'In the last hour: 94.4 % delivered, 1 gap, the longest within 1 min.',
    );
    assert.equal(summaryText([], undefined, 'In the last hour'), 'In the last hour: nothing recorded yet.');
  });
});

test('a reason without a text of its own is shown by its name in the ledger', () => {
  assert.equal(reasonText('picture-too-wide'), 'picture too wide');
});
