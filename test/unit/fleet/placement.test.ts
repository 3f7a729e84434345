import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rounds, seededRandom } from '../../../lab/random';
import { place } from './placed';
import {
  assertBalanced,
  assertFilled,
  assertNotEmptied,
  EQUAL,
  heaviestOf,
  loadOf,
  moved,
  newWorld,
  settled,
  shareOf,
  type World,
} from './placed-worlds';

const WORLDS = rounds(200);

describe('placement', () => {
  test('puts every camera on one node, and no node more than a tenth above its share', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      const names = new Set(world.nodes.map(({ name }) => name));
      for (const { owner } of world.cameras) assert.ok(names.has(owner ?? ''));
      assertBalanced(world, 1.1);
    }
  });

  test('does not depend on the order of cameras and nodes', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const { cameras, nodes } = newWorld(random);
      const one = place(cameras, nodes);
      const other = place([...cameras].reverse(), [...nodes].reverse());
      for (const { id } of cameras) assert.equal(one.get(id), other.get(id));
    }
  });

  test('moves nothing in a world that has not changed', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      assert.deepEqual(moved(world, settled(world)), []);
    }
  });

  test('moves the cameras of a dead node, and others only off nodes that are fuller than others', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      if (world.nodes.length < 2) continue;
      const dead = random.pick(world.nodes).name;
      const changed = { ...world, nodes: world.nodes.filter(({ name }) => name !== dead) };
      const after = settled(changed);
      for (const { owner = '' } of moved(world, after)) if (owner !== dead) assertNotEmptied(after, owner);
      assertBalanced(after, 1.2);
    }
  });

  test('gives a joining node its share, changes only nodes a tenth off theirs, and empties none for it', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(settled(newWorld(random)));
      const joined = { name: 'joined', capacity: random.between(1, 4) * 10 };
      const changed = { ...world, nodes: [...world.nodes, joined] };
      const after = settled(changed);
      assertFilled(after, 'joined');
      assertBalanced(after, 1.2);
      assert.deepEqual(moved(after, settled(after)), []);
      const givers = new Set(moved(world, after).map(({ owner = '' }) => owner));
      for (const giver of givers) assertNotEmptied(after, giver);
      // If one camera is a large part of a share, a camera given away may have to be compensated.
      const least = Math.min(...changed.nodes.map(({ name }) => shareOf(changed, name)));
      if (least < 20 * heaviestOf(changed) || world.cameras.length === 0) continue;
      for (const { id, owner = '' } of moved(world, after)) {
        const taker = after.cameras.find((camera) => camera.id === id)?.owner ?? '';
        const isEasing = loadOf(changed, owner).ratio > 1.1 && loadOf(changed, taker).ratio < 1;
        const isWanting = taker === 'joined' || loadOf(changed, taker).ratio < 0.9;
        assert.ok(isWanting || isEasing, `${taker} took a camera of ${owner}`);
        assert.ok(!givers.has(taker), `${taker} gave and took`);
      }
      const isFull = changed.nodes.some(({ name }) => loadOf(changed, name).ratio > 1.1);
      const { ratio } = loadOf(after, 'joined');
      assert.ok(
        ratio <= (isFull ? 1 : 0.9) + 1 / 20 + EQUAL,
        `it was given more than it had to be: ${ratio}`,
      );
      for (const { name } of changed.nodes) {
        const { ratio: own } = loadOf(after, name);
        assert.ok(own >= 0.9 - EQUAL && own <= 1.1 + EQUAL, `${name}: ${own}`);
      }
    }
  });

  test('gives a node that joins a large, even fleet its share, though no other has much more than its own', () => {
    const nodes = Array.from({ length: 50 }, (_, i) => ({ name: `node${i}`, capacity: 1 }));
    const cameras = Array.from({ length: 5000 }, (_, i) => ({
      ...{ id: `cam${i}`, weight: 1, owner: `node${i % 50}` },
    }));
    const world = { cameras, nodes: [...nodes, { name: 'joined', capacity: 1 }] };
    const after = settled(world);
    const { ratio } = loadOf(after, 'joined');
    assert.ok(ratio >= 0.9 && ratio < 0.92, String(ratio));
    assert.deepEqual(moved(after, settled(after)), []);
  });

  test('continues until a joining node has its share, if only ten cameras move at a time', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS / 4; i++) {
      let { cameras, nodes }: World = settled(settled(newWorld(random)));
      nodes = [...nodes, { name: 'joined', capacity: random.between(1, 4) * 10 }];
      for (let turns = 0; ; turns++) {
        const before: World = { cameras, nodes };
        const going = moved(before, settled(before));
        if (going.length === 0) break;
        assert.ok(turns < 100, 'it does not end');
        const placed = place(cameras, nodes);
        const now = new Set(going.slice(0, 10).map(({ id }) => id));
        const ends = new Set(going.flatMap(({ id, owner }) => [owner, placed.get(id)]));
        nodes = nodes.map((node) => ({ ...node, isBalancing: ends.has(node.name) }));
        cameras = cameras.map((camera) =>
          now.has(camera.id) ? { ...camera, owner: placed.get(camera.id) ?? '' } : camera,
        );
      }
      assertFilled({ cameras, nodes }, 'joined');
    }
  });

  test('moves nothing while every node is within a fifth of its share', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const { cameras, nodes } = settled(newWorld(random));
      // Costs are measured in steps of a half.
      const noisy = cameras.map((camera) => ({
        ...camera,
        weight: camera.weight * random.pick([1, 1, 1.5]),
      }));
      const world = { cameras: noisy, nodes };
      const isEven = nodes.every(({ name }) => Math.abs(loadOf(world, name).ratio - 1) <= 0.2 - EQUAL);
      if (isEven) assert.deepEqual(moved(world, settled(world)), []);
    }
  });

  test('gives a joining node a camera even if there are so few that each weighs more than the imbalance', () => {
    for (const [cameras, nodes] of [
      [6, 3],
      [5, 4],
      [9, 7],
    ] as const) {
      const names = Array.from({ length: nodes }, (_, i) => ({ name: `node${i}`, capacity: 1 }));
      const ids = Array.from({ length: cameras }, (_, i) => ({ id: `cam${i}`, weight: 1 }));
      const world = settled({ cameras: ids, nodes: names });
      const after = settled({ ...world, nodes: [...names, { name: 'joined', capacity: 1 }] });
      const own = after.cameras.filter(({ owner }) => owner === 'joined').length;
      assert.equal(own, 1, `${cameras} cameras on ${nodes} nodes`);
      assert.deepEqual(moved(after, settled(after)), []);
    }
  });

  test('leaves a single camera where it is when a node joins', () => {
    const nodes = ['a', 'b'].map((name) => ({ name, capacity: 1 }));
    assert.deepEqual([...place([{ id: 'gate', weight: 1, owner: 'a' }], nodes)], [['gate', 'a']]);
  });

  test('gives a node a share proportional to its capacity', () => {
    const nodes = [
      { name: 'small', capacity: 10 },
      { name: 'large', capacity: 30 },
    ];
    const cameras = Array.from({ length: 400 }, (_, i) => ({ id: `cam${i}`, weight: 1 }));
    const large = [...place(cameras, nodes).values()].filter((name) => name === 'large').length;
    assert.ok(large >= 290 && large <= 330, String(large));
  });

  test('places nothing if there is no node', () => {
    assert.equal(place([{ id: 'a', weight: 1 }], []).size, 0);
  });

  test('counts a camera in transfer at its destination, so that none is turned back on its way', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      const joined = { ...world, nodes: [...world.nodes, { name: 'joined', capacity: 30 }] };
      const planned = place(joined.cameras, joined.nodes);
      const cameras = joined.cameras.map((camera) => ({ ...camera, to: planned.get(camera.id) }));
      assert.deepEqual(place(cameras, joined.nodes), planned);
      // Some have arrived by then, in any order.
      const some = cameras.map((camera) =>
        random.next() < 0.5 ? { ...camera, owner: camera.to ?? '', to: undefined } : camera,
      );
      assert.deepEqual(place(some, joined.nodes), planned);
    }
  });

  test('leaves a camera in place if its next node has gone', () => {
    const nodes = ['a', 'b'].map((name) => ({ name, capacity: 1 }));
    const cameras = ['a', 'b'].map((owner) => ({ id: `of ${owner}`, weight: 1, owner, to: 'gone' }));
    assert.deepEqual([...place(cameras, nodes).values()], ['a', 'b']);
  });
});
