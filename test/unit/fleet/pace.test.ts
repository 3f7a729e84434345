/** Which cameras of a fleet are the next to move for balance, as one node sees it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MoveQueue } from '../../../src/fleet/pace';

const WAITING = Array.from({ length: 30 }, (_, i) => `c${i}`);
const PERMITS = Array.from({ length: 10 }, (_, i) => String(i));

describe('the next cameras to move for balance', () => {
  test('are the first of all that wait, as many as there are permits, each with another one', () => {
    const queue = new MoveQueue();
    const next = queue.next(WAITING, PERMITS, 0);
    assert.deepEqual([...next.keys()], WAITING.slice(0, 10));
    assert.deepEqual([...next.values()], PERMITS);
    assert.deepEqual(
      [...queue.next(WAITING.slice(4), ['2', '7'], 1000)],
      [
        ['c4', '2'],
        ['c5', '7'],
      ],
    );
    assert.equal(queue.next(WAITING, [], 1000).size, 0);
  });

  test('are not held up by a camera that does not move: it is passed over for some minutes', () => {
    const queue = new MoveQueue();
    queue.next(WAITING, PERMITS, 0);
    assert.deepEqual([...queue.next(WAITING, PERMITS, 61_000).keys()], WAITING.slice(10, 20));
    assert.equal([...queue.next(WAITING, PERMITS, 700_000).keys()][0], 'c0');
  });

  test('are not passed over because others took the permits', () => {
    const queue = new MoveQueue();
    // As seen by a node that learns which cameras begin to move before it learns of their permits.
    queue.next(WAITING.slice(8), PERMITS, 0);
    queue.next(WAITING.slice(10), [], 100);
    assert.deepEqual([...queue.next(WAITING.slice(10), PERMITS, 61_000).keys()], WAITING.slice(10, 20));
  });

  test('are remembered only while the configuration has them', () => {
    const queue = new MoveQueue();
    queue.next(WAITING, PERMITS, 0);
    queue.keep(new Set(WAITING.slice(1)));
    assert.deepEqual([...queue.next(WAITING, ['0'], 61_000).keys()], ['c0']);
  });
});
