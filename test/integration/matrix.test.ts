/** The cheap rows of the matrix: the camera's pictures compared with Vigil's. `npm run matrix` runs all rows. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Check, Judgement } from '../../lab/matrix/judge-row';
import { ROWS } from '../../lab/matrix/rows';
import { runRows } from '../../lab/matrix/run-rows';
import { isGreen, sentence } from '../../lab/matrix/table';

/** Allows for two processors shared with other tests. */
const SLACK = 3;
const AT_ONCE = 14;
/** On a machine too slow for fourteen cameras all pictures are late: rows that are red only for that are run again. */
const FEW_AT_ONCE = 3;
const OF_TIME: ReadonlySet<string> = new Set<Check>(['late', 'time']);
const CHEAP = ROWS.filter(({ cheap }) => cheap);

void describe('the pictures of a camera arrive on time, are the right ones, and have their own times', () => {
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
