/** Violations that the simulation of a fleet detects. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MoveWitness } from '../../../lab/fleet-simulation/moves';
import { RestWitness, type Balancing } from '../../../lab/fleet-simulation/rest';
import { Keys, type OwnerRecord } from '../../../src/fleet/facts';

const keys = new Keys('site');

describe('cameras that begin to move for balance', () => {
  function open() {
    const bench = { nowMs: 0, violations: [] as string[] };
    const witness = new MoveWitness(
      keys,
      () => bench.nowMs,
      (words) => bench.violations.push(words),
    );
    const put = (id: string, record: Partial<OwnerRecord>) => {
      const value = JSON.stringify({ node: 'a', sinceMs: 0, ...record });
      const entry = { key: keys.camera(id), value, createRevision: 1, modRevision: 1 };
      witness.see([{ kind: 'put', entry }]);
    };
    const remove = (id: string) => witness.see([{ kind: 'delete', key: keys.camera(id) }]);
    return { bench, witness, put, remove };
  }

  test('may be ten in any minute, offered or given away, and not one more', () => {
    const { bench, witness, put, remove } = open();
    for (let i = 0; i < 12; i++) put(`c${i}`, {});
    for (let i = 0; i < 9; i++) put(`c${i}`, { to: 'b', toBecause: 'balance' });
    bench.nowMs = 50_000;
    remove('c9');
    bench.nowMs = 55_000;
    put('c9', { node: 'b', because: 'balance' });
    assert.deepEqual(bench.violations, []);
    bench.nowMs = 60_000;
    put('c10', { to: 'b', toBecause: 'balance' });
    assert.deepEqual([bench.violations, witness.most, witness.begun], [[], 10, 11]);
    bench.nowMs = 59_000;
    put('c11', { to: 'b', toBecause: 'balance' });
    assert.equal(bench.violations.length, 1);
  });

  test('are not those of a drain, of a dead node, or given away after they were offered', () => {
    const { witness, put, remove } = open();
    for (const id of ['c0', 'c1', 'c2']) put(id, {});
    put('c0', { to: 'b', toBecause: 'drain' });
    remove('c1');
    put('c1', { node: 'b', because: 'node-lost' });
    put('c2', { to: 'b', toBecause: 'balance' });
    remove('c2');
    put('c2', { node: 'b', because: 'balance' });
    assert.equal(witness.begun, 1);
    assert.deepEqual(witness.counts, { new: 3, 'node-lost': 1, balance: 1 });
  });
});

describe('a fleet at rest', () => {
  const even: Balancing = {
    ...{ happenedMs: 0, hasQuorum: true, isBalancing: false, due: 0 },
    ...{ loads: { most: 1.1, least: 0.9 }, grain: 0.05, mistakes: new Set<string>() },
  };

  function seen(world: Partial<Balancing>, minutes: readonly number[]) {
    const violations: string[] = [];
    let nowMs = 0;
    const witness = new RestWitness(
      { ...even, ...world },
      () => nowMs,
      (words) => violations.push(words),
    );
    for (const minute of minutes) {
      nowMs = minute * 60_000;
      witness.look();
    }
    return { violations, witness };
  }

  test('has moved its cameras, ten a minute, and has every node within a fifth of its share', () => {
    assert.deepEqual(seen({}, [1, 2, 3]).witness.loads, [1.1]);
    assert.deepEqual(seen({ isBalancing: true, due: 40 }, [1, 2, 3, 4, 5]).violations, []);
    assert.equal(seen({ isBalancing: true, due: 40 }, [1, 2, 3, 4, 5, 6, 7]).violations.length, 1);
    for (const loads of [
      { most: 1.3, least: 0.9 },
      { most: 1.1, least: 0.7 },
    ])
      assert.equal(seen({ loads }, [1, 2, 3]).violations.length, 1);
  });

  test('knows who owns each camera: a mistake that lasts five minutes is reported once', () => {
    const mistakes = new Set(['a believes in vain']);
    assert.deepEqual(seen({ mistakes }, [1, 2, 3, 4, 5]).violations, []);
    assert.deepEqual(seen({ mistakes }, [1, 6, 11, 16]).violations, [...mistakes]);
  });

  test('is not looked at within a minute of an incident, without a quorum, or finer than a camera', () => {
    assert.deepEqual(seen({ loads: { most: 1.3, least: 0 } }, [0.5]).violations, []);
    assert.deepEqual(seen({ loads: { most: 1.3, least: 0 }, hasQuorum: false }, [5]).violations, []);
    assert.deepEqual(seen({ loads: { most: 1.3, least: 0.7 }, grain: 0.3 }, [5]).violations, []);
  });
});
