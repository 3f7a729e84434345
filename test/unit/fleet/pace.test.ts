/** How many cameras of a fleet begin to move for balance within a minute, as one node sees it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OwnerRecord } from '../../../src/fleet/facts';
import { Moves } from '../../../src/fleet/pace';

const WAITING = Array.from({ length: 30 }, (_, i) => `c${i}`);

function look(moves: Moves, of: Readonly<Record<string, Partial<OwnerRecord>>>, nowMs: number): void {
  const owners = Object.entries(of).map(
    ([id, record]) => [id, { node: 'a', sinceMs: 0, ...record }] as const,
  );
  moves.look(new Map(owners), Object.keys(of), nowMs);
}

describe('moves for balance', () => {
  test('are ten a minute, the first of all that wait', () => {
    const moves = new Moves();
    assert.deepEqual([...moves.free(WAITING, 0)], WAITING.slice(0, 10));
    for (const id of WAITING.slice(0, 4)) moves.begins(id, 1000);
    assert.deepEqual([...moves.free(WAITING, 1000)], WAITING.slice(4, 10));
    moves.look(new Map(), [], 61_000);
    assert.equal(moves.free(WAITING, 61_000).size, 10);
  });

  test('of other nodes count, from the offer or from when the camera is seen on its new node, once', () => {
    const moves = new Moves();
    look(moves, { c0: {}, c1: {}, c2: {} }, 0);
    look(moves, { c0: { to: 'b', toBecause: 'balance' }, c1: {}, c2: {} }, 1000);
    assert.equal(moves.free(WAITING, 1000).size, 9);
    const moved = { node: 'b', because: 'balance' } as const;
    look(moves, { c0: moved, c1: moved, c2: { node: 'b', because: 'node-lost' } }, 2000);
    assert.equal(moves.free(WAITING, 2000).size, 8);
  });

  test('are not held up by a camera that does not move: it is passed over for some minutes', () => {
    const moves = new Moves();
    moves.free(WAITING, 0);
    assert.deepEqual([...moves.free(WAITING, 61_000)], WAITING.slice(10, 20));
    assert.deepEqual([...moves.free(WAITING, 700_000)].slice(0, 1), ['c0']);
  });

  test('are remembered of no camera that the configuration has no longer', () => {
    const moves = new Moves();
    look(moves, { c0: {}, c1: {} }, 0);
    moves.keep(new Set(['c1']));
    const moved = { node: 'b', because: 'balance' } as const;
    look(moves, { c0: moved, c1: moved }, 1000);
    // The first is as new as any that is seen on its first node.
    assert.equal(moves.free(WAITING, 1000).size, 9);
    moves.keep(new Set());
    assert.equal(moves.free(WAITING, 1000).size, 10);
  });
});
