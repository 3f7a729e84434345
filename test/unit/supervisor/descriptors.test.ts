/** File descriptors: how many are needed, and what is reported and done if there are too few. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTopology } from '../../../src/config/load';
import type { Topology } from '../../../src/config/topology';
import { descriptorsNeeded } from '../../../src/supervisor/descriptors';

function topology(cameras: number, more: object = {}): Topology {
  const list = Array.from({ length: cameras }, (_, i) => ({ id: `c${i}`, test: 'testsrc2' }));
  const servers = { redis: 'redis://127.0.0.1', rabbitmq: 'amqp://127.0.0.1' };
  return parseTopology(JSON.stringify({ ...servers, ...more, cameras: list }), '/srv/actors.json', {});
}

describe('descriptors needed', () => {
  it('grow by three with each camera', () =>
    assert.equal(descriptorsNeeded(topology(200)) - descriptorsNeeded(topology(100)), 300));

  it('are never fewer than one actor of its own needs', () =>
    assert.equal(descriptorsNeeded(topology(1)), 64));

  it('count embedded servers, and not actors that run in the daemon', () => {
    const plain = descriptorsNeeded(topology(50));
    assert.equal(descriptorsNeeded(topology(50, { redis: 'embedded', rabbitmq: 'embedded' })) - plain, 6);
    const inMemory = { actors: { store: { mode: 'in-memory' }, notifier: { mode: 'in-memory' } } };
    assert.equal(plain - descriptorsNeeded(topology(50, inMemory)), 6);
  });
});
