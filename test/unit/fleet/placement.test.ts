import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { place, type PlacedCamera, type PlacementNode } from '../../../src/fleet/placement';
import { seededRandom, type Random } from '../../../lab/random';

const WORLDS = 200;

interface World {
  cameras: PlacedCamera[];
  nodes: PlacementNode[];
}

function newWorld(random: Random): World {
  const nodes = Array.from({ length: random.between(1, 12) }, (_, i) => ({
    name: `node${i}`,
    capacity: random.between(1, 4) * 10,
  }));
  const cameras = Array.from({ length: random.between(0, 400) }, (_, i) => ({
    id: `cam${i}`,
    weight: random.between(1, 5),
  }));
  return { cameras, nodes };
}

/** The world after everybody has done what the placement says. */
function settled({ cameras, nodes }: World): World {
  const placed = place(cameras, nodes);
  return { cameras: cameras.map((camera) => ({ ...camera, owner: placed.get(camera.id) ?? '' })), nodes };
}

/** No node is above its share by more than the bound, or by so many cameras where cameras are coarse. */
function assertBalanced({ cameras, nodes }: World, bound: number, coarse = 2): void {
  const total = cameras.reduce((sum, { weight }) => sum + weight, 0);
  const heaviest = Math.max(0, ...cameras.map(({ weight }) => weight));
  const capacity = nodes.reduce((sum, node) => sum + node.capacity, 0);
  for (const { name, capacity: own } of nodes) {
    const load = cameras.filter(({ owner }) => owner === name).reduce((sum, { weight }) => sum + weight, 0);
    const share = (total * own) / capacity;
    assert.ok(
      load <= Math.max(share * bound, share + coarse * heaviest) + 1e-9,
      `${name}: ${load} of ${share}`,
    );
  }
}

function loadOf({ cameras, nodes }: World, node: string): { readonly ratio: number } {
  const sum = (of: readonly PlacedCamera[]) => of.reduce((total, { weight }) => total + weight, 0);
  const capacity = nodes.reduce((total, { capacity: one }) => total + one, 0);
  const own = nodes.find(({ name }) => name === node)?.capacity ?? 0;
  return { ratio: sum(cameras.filter(({ owner }) => owner === node)) / ((sum(cameras) * own) / capacity) };
}

/** A node gives cameras away only down to its share, or below it with the one that it was a fifth above its share with. */
function assertGiven(before: World, after: World, owner: string): void {
  const is = loadOf(after, owner).ratio;
  const given = moved(before, after).filter((camera) => camera.owner === owner);
  const heaviest = Math.max(...given.map(({ weight }) => weight));
  const own = after.nodes.find(({ name }) => name === owner)?.capacity ?? 0;
  const capacity = after.nodes.reduce((total, node) => total + node.capacity, 0);
  const total = after.cameras.reduce((sum, { weight }) => sum + weight, 0);
  const was = is + heaviest / ((total * own) / capacity);
  assert.ok(is >= 1 || was > 1.2, `${owner} gave a camera away below its share: ${was}, ${is}`);
}

function moved(before: World, after: World): PlacedCamera[] {
  return before.cameras.filter(({ owner }, i) => after.cameras[i]?.owner !== owner);
}

describe('placement', () => {
  test('puts every camera on one node, and no node above its share by more than a tenth', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      const names = new Set(world.nodes.map(({ name }) => name));
      for (const { owner } of world.cameras) assert.ok(names.has(owner ?? ''));
      assertBalanced(world, 1.1, 1);
    }
  });

  test('does not depend on the order in which cameras and nodes are known', (t) => {
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

  test('moves the cameras of a node that has died, and others only off nodes above their bound', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      if (world.nodes.length < 2) continue;
      const dead = random.pick(world.nodes).name;
      const changed = { ...world, nodes: world.nodes.filter(({ name }) => name !== dead) };
      const after = settled(changed);
      for (const { owner = '' } of moved(world, after).filter(({ owner }) => owner !== dead))
        assertGiven(changed, after, owner);
      assertBalanced(after, 1.2);
    }
  });

  test('moves cameras to a node that joins only off nodes above their bound, until none is a fifth above its share', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < WORLDS; i++) {
      const world = settled(newWorld(random));
      const joined = { name: 'joined', capacity: random.between(1, 4) * 10 };
      const changed = { ...world, nodes: [...world.nodes, joined] };
      const after = settled(changed);
      assertBalanced(after, 1.2);
      const givers = new Set(moved(world, after).map(({ owner }) => owner));
      for (const { id, owner = '' } of moved(world, after)) {
        assert.ok(loadOf(changed, owner).ratio > 1.1, `${owner} gave a camera away within its bound`);
        const taker = after.cameras.find((camera) => camera.id === id)?.owner ?? '';
        const isFuller = loadOf(changed, taker).ratio >= 1 && !givers.has(taker);
        assert.ok(!isFuller, `${taker} took a camera above its share`);
      }
      assert.deepEqual(moved(after, settled(after)), []);
    }
  });

  test('gives a node that joins a camera also where they are so few that each weighs more than the imbalance', () => {
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

  test('gives a node its share by its capacity', () => {
    const nodes = [
      { name: 'small', capacity: 10 },
      { name: 'large', capacity: 30 },
    ];
    const cameras = Array.from({ length: 400 }, (_, i) => ({ id: `cam${i}`, weight: 1 }));
    const large = [...place(cameras, nodes).values()].filter((name) => name === 'large').length;
    assert.ok(large >= 290 && large <= 330, String(large));
  });

  test('places nothing where there is no node', () => {
    assert.equal(place([{ id: 'a', weight: 1 }], []).size, 0);
  });
});
