/** What cameras cost, reported in steps that noise does not change: an unchanged world moves nothing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../lab/random';
import { Costs } from '../../../src/fleet/cost';
import { Facts, Keys, type NodeRecord, type Owned, type OwnerRecord } from '../../../src/fleet/facts';
import type { FleetCamera } from '../../../src/fleet/options';
import { Owners } from '../../../src/fleet/owners';
import { Roster } from '../../../src/fleet/roster';
import { place } from './placed';

const BEAT_MS = 5000;

/** Readings every five seconds of a camera whose cost is what `millicores` returns for each. */
function measured(
  costs: Costs,
  beats: number,
  millicores: (beat: number) => number,
  start = { seconds: 0, beat: 0 },
) {
  for (let i = 0; i < beats; i++) {
    start.seconds += (millicores(start.beat) * BEAT_MS) / 1e6;
    start.beat++;
    costs.read([{ id: 'gate', pid: 7, seconds: start.seconds }], start.beat * BEAT_MS);
  }
  return start;
}

describe('the cost of a camera', () => {
  test('is reported two minutes after startup, to within a half, and follows a camera that costs more', () => {
    const costs = new Costs();
    // The time in which programs are loaded does not count.
    const end = measured(costs, 36, (beat) => (beat < 12 ? 1000 : 50));
    assert.deepEqual(costs.steps, {});
    measured(costs, 2, () => 50, end);
    const cost = costs.steps['gate'] ?? 0;
    assert.ok(cost > 50 / 1.5 && cost < 50 * 1.5, String(cost));
    measured(costs, 200, () => 150, end);
    assert.ok((costs.steps['gate'] ?? 0) > 100, JSON.stringify(costs.steps));
  });

  test('keeps its step despite noise of a tenth, at any level', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 50; i++) {
      const costs = new Costs();
      const level = 1 + 300 * random.next();
      const end = measured(costs, 40, () => level);
      const before = costs.steps['gate'];
      assert.notEqual(before, undefined);
      for (let k = 0; k < 300; k++) {
        measured(costs, 1, () => level * (0.9 + 0.2 * random.next()), end);
        assert.equal(costs.steps['gate'], before, `at ${level} thousandths`);
      }
    }
  });

  test('is that of the previous process while a new one is measured, and is forgotten with the camera', () => {
    const costs = new Costs();
    measured(costs, 40, () => 50);
    const before = costs.steps;
    costs.read([{ id: 'gate', pid: 8, seconds: 9 }], 41 * BEAT_MS);
    assert.deepEqual(costs.steps, before);
    costs.read([], 42 * BEAT_MS);
    assert.deepEqual(costs.steps, {});
  });
});

function node(name: string, costs?: Readonly<Record<string, number>>): [string, NodeRecord] {
  const rest = { capacity: 1, version: '', configuration: '', beat: 1, state: 'member' } as const;
  return [name, { ...rest, id: name, address: name, ...(costs && { costs }) }];
}

function owner(of: string, cost?: number) {
  return { node: of, sinceMs: 0, revision: 1, lease: '1', ...(cost !== undefined && { cost }) };
}

const CAMERAS = ['c1', 'c2', 'c3', 'c4'].map((id) => ({ id, weight: 1, isSingle: false }));

function roster(
  cameras: readonly FleetCamera[],
  nodes: ReadonlyMap<string, NodeRecord> = new Map(),
  owned: readonly (readonly [string, Owned])[] = [],
) {
  const owners = new Owners();
  for (const [id, record] of owned) owners.set(id, record);
  const facts = { nodes: new Map(nodes), owners };
  const found = new Roster(facts);
  found.enrol(cameras);
  return { ...facts, roster: found };
}

const weightsOf = (roster: Roster) => roster.look().map(({ weight }) => weight);

describe('the weight of a camera', () => {
  test('is what its node measures, then what the previous node measured, then the mean at its rate', () => {
    const nodes = new Map([node('a', { c1: 100 }), node('b')]);
    const owned = [
      ['c1', owner('a', 7)] as const,
      ['c2', owner('b', 50)] as const,
      ['c3', owner('b')] as const,
    ];
    const cameras = [...CAMERAS.slice(0, 3), { id: 'c4', weight: 2, isSingle: false }];
    assert.deepEqual(weightsOf(roster(cameras, nodes, owned).roster), [100, 50, 75, 150]);
  });

  test('follows every change: another owner, an offer, another cost on its node, and the loss of its node', () => {
    const facts = roster(CAMERAS, new Map([node('a', { c1: 100 }), node('b')]), [
      ...[['c1', owner('a', 7)] as const, ['c2', owner('b', 50)] as const],
    ]);
    const seen = () => weightsOf(facts.roster).slice(0, 2);
    const revisions = [facts.roster.revision];
    const assertSeen = (expected: readonly number[], isOther: boolean) => {
      assert.deepEqual(seen(), expected);
      assert.equal(facts.roster.revision !== revisions.at(-1), isOther);
      revisions.push(facts.roster.revision);
    };
    assertSeen([100, 50], true);
    facts.nodes.set(...node('a', { c1: 100 }));
    facts.owners.set('c2', { ...owner('b', 50), to: 'a' });
    assertSeen([100, 50], true);
    facts.owners.set('c2', { ...owner('b', 50), to: 'a' });
    assertSeen([100, 50], false);
    facts.nodes.set(...node('a', { c1: 150 }));
    assertSeen([150, 50], true);
    facts.nodes.set(...node('b', { c1: 40 }));
    facts.owners.set('c1', owner('b', 7));
    assertSeen([40, 50], true);
    facts.nodes.delete('b');
    assertSeen([7, 50], true);
    facts.owners.delete('c1');
    assertSeen([50, 50], true);
  });

  test('is its rate if nothing is measured', () => {
    const rated = CAMERAS.map((camera, i) => ({ ...camera, weight: i + 1 }));
    assert.deepEqual(weightsOf(roster(rated).roster), [1, 2, 3, 4]);
  });

  test('moves cameras off a node with a few heavy ones', () => {
    const nodes = new Map([node('a', { c1: 100, c2: 100, c3: 100 }), node('b', { c4: 10 })]);
    const owned = CAMERAS.map(({ id }, i) => [id, owner(i < 3 ? 'a' : 'b')] as const);
    const world = roster(CAMERAS, nodes, owned).roster.look();
    const members = ['a', 'b'].map((name) => ({ name, capacity: 1 }));
    assert.equal([...place(world, members).values()].filter((name) => name === 'b').length, 2);
  });

  test('moves with the camera to its next node, even if the node that measured it has gone', () => {
    const keys = new Keys('f');
    const facts = new Facts(keys);
    const put = (key: string, value: NodeRecord | OwnerRecord) =>
      facts.apply([
        {
          kind: 'put',
          entry: { key, value: JSON.stringify(value), createRevision: 1, modRevision: 1, lease: '1' },
        },
      ]);
    put(keys.node('a'), node('a', { gate: 40 })[1]);
    put(keys.camera('gate'), { node: 'a', sinceMs: 1 });
    facts.apply([
      { kind: 'delete', key: keys.node('a') },
      { kind: 'delete', key: keys.camera('gate') },
    ]);
    assert.deepEqual(facts.pastOf('gate'), { from: 'a', because: 'node-lost', cost: 40 });
  });

  test('requires no action if a node has only sent a sign of life', () => {
    const keys = new Keys('f');
    const facts = new Facts(keys);
    const say = (record: NodeRecord) =>
      facts.apply([
        {
          kind: 'put',
          entry: { key: keys.node('a'), value: JSON.stringify(record), createRevision: 1, modRevision: 1 },
        },
      ]);
    const [, record] = node('a', { gate: 40 });
    assert.deepEqual([say(record), say({ ...record, beat: 2 })], [true, false]);
    assert.equal(say({ ...record, beat: 3, costs: { gate: 60 } }), true);
  });
});
