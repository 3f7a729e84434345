/** What a member does about what it sees of a fleet: what it takes, what is to move, and what it waits for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeRecord, Owned } from '../../../src/fleet/facts';
import { Owners } from '../../../src/fleet/owners';
import { Planning } from '../../../src/fleet/planning';

const RECORD: NodeRecord = {
  ...{ id: 'x', address: 'x', state: 'member', capacity: 1, version: '1', configuration: 'same', beat: 1 },
};
const CAMERAS = Array.from({ length: 40 }, (_, i) => ({ id: `c${i}`, weight: 1, isSingle: false }));

function seenBy(
  node: string,
  nodes: Readonly<Record<string, Partial<NodeRecord>>>,
  ownerOf: (i: number) => Partial<Owned>,
) {
  const owned = (i: number): Owned => ({
    ...{ node: 'a', sinceMs: 0, revision: 1, lease: '1' },
    ...ownerOf(i),
  });
  const owners = new Owners();
  for (const [i, { id }] of CAMERAS.entries()) owners.set(id, owned(i));
  const records = Object.entries(nodes).map(([name, record]) => [name, { ...RECORD, ...record }] as const);
  const planning = new Planning(node, { nodes: new Map(records), owners });
  planning.enrolled(CAMERAS, []);
  return planning.steps(0);
}

const NAMES = ['a', 'b', 'c', 'd'];
const even = (i: number) => ({ node: NAMES[i % 4] ?? 'a' });
const four = { a: {}, b: {}, c: {}, d: {} };

describe('a member of a fleet', () => {
  test('waits for nothing in an even fleet', () => {
    const { moves, waiting, isBalancing, waitsFor } = seenBy('a', four, even);
    assert.deepEqual(
      { moves, waiting, isBalancing, waitsFor },
      {
        ...{ moves: [], waiting: [], isBalancing: false, waitsFor: 'none' },
      },
    );
  });

  test('knows the same cameras to move as all others, in the same order, and reports that it is concerned', () => {
    const nodes = { ...four, e: {} };
    const seen = [...NAMES, 'e'].map((name) => seenBy(name, nodes, even));
    const [first] = seen;
    assert.ok((first?.waiting.length ?? 0) >= 7);
    for (const { waiting } of seen) assert.deepEqual(waiting, first?.waiting);
    assert.deepEqual(
      seen.map(({ isBalancing }) => isBalancing),
      [true, true, true, true, true],
    );
    assert.deepEqual(
      seen.map(({ waitsFor }) => waitsFor),
      [...NAMES.map(() => 'patience'), 'none'],
    );
    assert.deepEqual(
      seen.flatMap(({ moves }) => moves.map(({ id }) => id)).sort(),
      [...(first?.waiting ?? [])].sort(),
    );
  });

  test('continues within a fifth of even only while a node reports that cameras are on their way', () => {
    const partly = (i: number) => (i < 7 ? { node: 'e' } : even(i));
    assert.deepEqual(seenBy('a', { ...four, e: {} }, partly).waiting, []);
    assert.ok(seenBy('a', { ...four, e: { isBalancing: true } }, partly).waiting.length > 0);
  });

  test('does not report balance while configurations differ', () => {
    const { moves, isBalancing } = seenBy('a', { ...four, e: { configuration: 'other' } }, even);
    assert.deepEqual({ moves, isBalancing }, { moves: [], isBalancing: false });
  });
});
