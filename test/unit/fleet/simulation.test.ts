/** Real nodes on a simulated clock, network and etcd: what must hold whatever happens to them, and what once failed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulateDay } from '../../../lab/fleet-simulation/day';
import { SharedPlacement } from '../../../lab/fleet-simulation/placement';
import { SimulatedWorld } from '../../../lab/fleet-simulation/world';
import { randomOf, rounds, seededRandom } from '../../../lab/random';
import { hashOf } from '../../../src/fleet/loads';
import { relocations } from '../../../src/fleet/placement';

const LEASE_MS = 5000;
const STOP_MS = 300;
/** Hours of a simulated day: half an hour, plus a fifth for each incident. */
const HOURS = 0.5 + 0.2 * rounds(5);

describe('a simulated fleet', () => {
  test('has every camera on a node within 10 s, those for one viewer on one, and moves nothing without a cause', async (t) => {
    const day = await simulateDay({ nodes: 4, cameras: 40, hours: HOURS, random: seededRandom(t) });
    assert.deepEqual(day.violations, []);
    assert.ok(Object.keys(day.incidents).length > 0);
    assert.ok((day.moves['new'] ?? 0) === 40, JSON.stringify(day.moves));
  });

  test('stops a camera for one viewer when the lease ends, even while an answer of etcd is awaited', async () => {
    for (let cutMs = 10_000; cutMs < 11_000; cutMs += 100) {
      const world = new SimulatedWorld([{ id: 'gate', weight: 1, isSingle: true }], randomOf(1));
      world.start('a');
      world.configure();
      await world.clock.run(cutMs);
      assert.equal(world.nodes.get('a')?.running.size, 1);
      world.cut('a', true);
      await world.clock.run(cutMs + LEASE_MS + STOP_MS);
      assert.equal(world.nodes.get('a')?.running.size, 0, `cut at ${cutMs} ms`);
    }
  });

  test('places cameras as each node would whose world changes in place', (t) => {
    const random = seededRandom(t);
    const shared = new SharedPlacement();
    const members = ['a', 'b', 'c', 'd'].map((name) => ({ name, capacity: 1, isBalancing: true }));
    const cameras = Array.from({ length: 40 }, (_, i) => ({
      ...{ id: `c${i}`, rank: hashOf(`c${i}`), weight: 1, owner: 'a' },
    }));
    for (let i = 0; i < rounds(300); i++) {
      const some = random.pick([members, members.slice(1)]);
      assert.deepEqual(shared.of(cameras, some), relocations(cameras, some));
      const camera = random.pick(cameras);
      camera.owner = random.pick(['a', 'b', 'c', 'd']);
      camera.weight = random.pick([1, 2]);
    }
  });

  test('runs cameras for one viewer again when etcd has its quorum again', async () => {
    const world = new SimulatedWorld([{ id: 'gate', weight: 1, isSingle: true }], randomOf(1));
    world.start('a');
    world.configure();
    await world.clock.run(10_000);
    world.setQuorum(false);
    await world.clock.run(40_000);
    assert.equal(world.nodes.get('a')?.running.size, 0);
    world.setQuorum(true);
    await world.clock.run(50_000);
    assert.equal(world.nodes.get('a')?.running.size, 1);
  });

  test('moves no camera when etcd has its quorum again, however long it had none', async (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < rounds(12); i++) {
      const cameras = Array.from({ length: 12 }, (_, k) => ({
        id: `c${k}`,
        weight: 1,
        isSingle: k % 4 === 0,
      }));
      const world = new SimulatedWorld(cameras, random);
      for (const name of ['a', 'b', 'c']) world.clock.after(random.between(0, 2000), () => world.start(name));
      await world.clock.run(5000);
      world.configure();
      await world.clock.run(20_000);
      world.setQuorum(false);
      // Requests of a node without an answer come every few seconds.
      await world.clock.run(50_000 + 500 * i);
      world.setQuorum(true);
      await world.clock.run(world.clock.nowMs + 20_000);
      assert.deepEqual([world.moves.counts, world.witness.violations], [{ new: 12 }, []]);
    }
  });
});
