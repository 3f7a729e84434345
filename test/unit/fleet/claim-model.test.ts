/**
 * All interleavings of two nodes that deliver pictures of the same period, as a model of src/actors/store/claims.ts and
 * delivery.ts: claim, store, look at the claim again, announce, mark; each may crash or be frozen anywhere, and a claim may
 * run out whenever it is not renewed.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

type Step = 'claim' | 'announce' | 'mark' | 'done' | 'superseded' | 'dead';

interface World {
  /** Where each node is. */
  readonly steps: readonly Step[];
  /** A frozen node's claim is not renewed. */
  readonly frozen: readonly boolean[];
  readonly holder: number | undefined;
  /** The node whose picture is marked. */
  readonly marked: number | undefined;
  /** Messages by node: true once it was announced. */
  readonly announced: readonly boolean[];
  /** Crashes and freezes that are left. */
  readonly faults: number;
  /** A node announced and was then stopped before its mark. */
  readonly lostMark: boolean;
}

function change<T>(values: readonly T[], index: number, value: T): readonly T[] {
  return values.map((old, i) => (i === index ? value : old));
}

/** What can happen next. */
function successors(world: World): World[] {
  const next: World[] = [];
  const { steps, frozen, holder, marked, announced, faults } = world;
  const at = (node: number, step: Step, more: Partial<World> = {}) =>
    next.push({ ...world, steps: change(steps, node, step), ...more });
  for (const node of steps.keys()) {
    const step = steps[node];
    if (step === 'dead') {
      // Restarted on its spool, it begins again.
      at(node, 'claim');
      continue;
    }
    if (step === 'done' || step === 'superseded') continue;
    if (frozen[node] === true) {
      // It wakes: a frozen node looks at its claim before it announces.
      next.push({
        ...world,
        frozen: change(frozen, node, false),
        steps: change(steps, node, step === 'announce' ? 'claim' : (step ?? 'claim')),
      });
      continue;
    }
    if (step === 'claim') {
      if (marked === node) at(node, 'done');
      else if (marked !== undefined) at(node, 'superseded');
      else if (holder === undefined || holder === node) at(node, 'announce', { holder: node });
    }
    if (step === 'announce') at(node, 'mark', { announced: change(announced, node, true) });
    if (step === 'mark') at(node, 'done', { marked: marked ?? node, holder: undefined });
    if (faults > 0) {
      const lostMark = world.lostMark || step === 'mark';
      at(node, 'dead', { faults: faults - 1, lostMark });
      next.push({ ...world, frozen: change(frozen, node, true), faults: faults - 1, lostMark });
    }
  }
  // A claim runs out when its node is dead or frozen.
  if (holder !== undefined && (steps[holder] === 'dead' || frozen[holder] === true))
    next.push({ ...world, holder: undefined });
  return next;
}

function reachable(nodes: number, faults: number): World[] {
  const all = Array.from({ length: nodes }, (_, i) => i);
  const start: World = {
    steps: all.map(() => 'claim'),
    frozen: all.map(() => false),
    ...{ holder: undefined, marked: undefined, announced: all.map(() => false), faults, lostMark: false },
  };
  const seen = new Map<string, World>([[JSON.stringify(start), start]]);
  const queue = [start];
  for (let world = queue.pop(); world !== undefined; world = queue.pop())
    for (const next of successors(world)) {
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      seen.set(key, next);
      queue.push(next);
    }
  return [...seen.values()];
}

const twice = ({ announced }: World) => announced.filter(Boolean).length > 1;

describe('two or three nodes with a picture of one period', () => {
  for (const nodes of [2, 3])
    test(`announce one of ${nodes} if none is stopped between its message and its mark`, () => {
      const worlds = reachable(nodes, 3);
      assert.ok(worlds.length > 100, String(worlds.length));
      for (const world of worlds) if (twice(world)) assert.ok(world.lostMark, JSON.stringify(world));
      // The one window that is left is real.
      assert.ok(worlds.some(twice));
    });

  test('never announce two without a fault', () => {
    assert.ok(!reachable(3, 0).some(twice));
  });

  test('always reach an end in which one is announced: no period stays blocked', () => {
    const worlds = reachable(2, 3);
    for (const world of worlds) {
      const isOver = successors(world).length === 0;
      if (isOver) assert.ok(world.announced.some(Boolean), JSON.stringify(world));
      assert.ok(!isOver || world.steps.every((step) => step === 'done' || step === 'superseded'));
    }
  });
});
