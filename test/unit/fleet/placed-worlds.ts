/** Random fleets, and what must hold for where their cameras are placed. */
import assert from 'node:assert/strict';
import type { PlacementNode } from '../../../src/fleet/placement';
import type { Random } from '../../../lab/random';
import { place, type UnrankedCamera } from './placed';

/** Ratios that differ by less are the same. */
export const EQUAL = 1e-9;

export interface World {
  cameras: UnrankedCamera[];
  nodes: PlacementNode[];
}

export function newWorld(random: Random): World {
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

/** The world after every node has done what the placement says. */
export function settled({ cameras, nodes }: World): World {
  const placed = place(cameras, nodes);
  return { cameras: cameras.map((camera) => ({ ...camera, owner: placed.get(camera.id) ?? '' })), nodes };
}

/** No node exceeds its share by more than the bound, or by more than this many cameras if cameras are coarse. */
export function assertBalanced(world: World, bound: number, coarse = 2): void {
  const heaviest = heaviestOf(world);
  for (const { name } of world.nodes) {
    const [load, share] = [weightOn(world, name), shareOf(world, name)];
    assert.ok(
      load <= Math.max(share * bound, share + coarse * heaviest) + EQUAL,
      `${name}: ${load} of ${share}`,
    );
  }
}

export function loadOf(world: World, node: string): { readonly ratio: number } {
  return { ratio: weightOn(world, node) / shareOf(world, node) };
}

/** The node has nine tenths of its share, or with one more of the fullest's cameras it would be the fuller of both. */
export function assertFilled(world: World, node: string): void {
  const { ratio } = loadOf(world, node);
  if (ratio >= 0.9 - EQUAL) return;
  const share = world.cameras.length === 0 ? 1 : shareOf(world, node);
  for (const { owner = '', weight } of world.cameras) {
    const before = loadOf(world, owner).ratio;
    const given = before - weight / shareOf(world, owner);
    const taken = ratio + weight / share;
    // A move that does not bring the two together does not count.
    const isNearer = before + given > ratio + taken + EQUAL;
    const wouldGain = isNearer && (given >= taken || (given >= 0.9 + EQUAL && taken <= 1.1 - EQUAL));
    assert.ok(owner === node || !wouldGain, `${node} has ${ratio} of its share, ${owner} could give`);
  }
}

/** It has nine tenths of its share, or would have more than all of it with two more cameras. */
export function assertNotEmptied(world: World, node: string): void {
  const { ratio } = loadOf(world, node);
  assert.ok(
    ratio >= 0.9 - EQUAL || ratio + (2 * heaviestOf(world)) / shareOf(world, node) >= 1 - EQUAL,
    `${node}: ${ratio}`,
  );
}

export function heaviestOf({ cameras }: World): number {
  return Math.max(0, ...cameras.map(({ weight }) => weight));
}

export function shareOf({ cameras, nodes }: World, node: string): number {
  const capacity = nodes.reduce((total, { capacity: one }) => total + one, 0);
  const own = nodes.find(({ name }) => name === node)?.capacity ?? 0;
  return (weightOf(cameras) * own) / capacity;
}

function weightOn({ cameras }: World, node: string): number {
  return weightOf(cameras.filter(({ owner }) => owner === node));
}

function weightOf(cameras: readonly UnrankedCamera[]): number {
  return cameras.reduce((sum, { weight }) => sum + weight, 0);
}

export function moved(before: World, after: World): UnrankedCamera[] {
  return before.cameras.filter(({ owner }, i) => after.cameras[i]?.owner !== owner);
}
