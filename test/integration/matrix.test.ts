/** The cheap rows of the matrix: what a camera sends, compared with what Vigil makes of it. All of them: `npm run matrix`. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Check, Judgement } from '../../lab/matrix/judge-row';
import { ROWS } from '../../lab/matrix/rows';
import { runRows } from '../../lab/matrix/run-rows';
import { isGreen, sentence } from '../../lab/matrix/table';

/** Two processors that other tests use too. */
const SLACK = 3;
const AT_ONCE = 14;
/** On a machine too slow for fourteen cameras the pictures of all are late: rows that are red for nothing else are run again. */
const FEW_AT_ONCE = 3;
const OF_TIME: ReadonlySet<string> = new Set<Check>(['late', 'time']);
const CHEAP = ROWS.filter(({ cheap }) => cheap);

void describe('the pictures of a camera come on time, are the true ones, and have their own times', () => {
  let judgements: readonly Judgement[] = [];
  before(async () => {
    const first = await runRows(CHEAP, { slack: SLACK, atOnce: AT_ONCE });
    const late = first.filter(
      (judgement) =>
        !isGreen(judgement) && Object.keys(judgement.faults).every((check) => OF_TIME.has(check)),
    );
    const again = await runRows(
      late.map(({ row }) => row),
      { slack: SLACK, atOnce: FEW_AT_ONCE },
    );
    judgements = first.map((judgement) => again[late.indexOf(judgement)] ?? judgement);
  });

  for (const [i, { name }] of CHEAP.entries())
    void it(name, () => {
      const judgement = judgements[i];
      assert.ok(judgement !== undefined, 'the row was run');
      assert.ok(isGreen(judgement), sentence(judgement));
    });
});
