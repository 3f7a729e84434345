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
        assert.ok(loadOf(after, owner).ratio >= 1, `${owner} gave a camera away below its share`);
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
      for (const { id, owner = '' } of moved(world, after)) {
        assert.ok(loadOf(changed, owner).ratio > 1.1, `${owner} gave a camera away within its bound`);
        const taker = after.cameras.find((camera) => camera.id === id)?.owner ?? '';
        assert.ok(loadOf(changed, taker).ratio < 1, `${taker} took a camera above its share`);
      }
      assert.deepEqual(moved(after, settled(after)), []);
    }
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
