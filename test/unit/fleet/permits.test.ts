/** How a node gets permission to begin a move for balance: by a key in etcd that lasts a minute. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../../lab/fleet-simulation/clock';
import { SimulatedEtcd } from '../../../lab/fleet-simulation/etcd';
import type { KeyValue } from '../../../src/etcd/etcd';
import { Facts, Keys } from '../../../src/fleet/facts';
import { Permits } from '../../../src/fleet/permits';

const keys = new Keys('site');

function open(grantMs = 0) {
  const clock = new SimulatedClock();
  const etcd = new SimulatedEtcd(clock);
  const node = (name: string) => {
    const facts = new Facts(keys);
    const permits = new Permits({
      ...{ node: name, keys, facts, now: () => clock.nowMs },
      etcd: {
        grant: (seconds) => {
          clock.nowMs += grantMs;
          return Promise.resolve(etcd.grant(seconds));
        },
        revoke: (lease) => {
          etcd.revoke(lease);
          return Promise.resolve();
        },
        transact: (conditions, operations) => Promise.resolve(etcd.transact(conditions, operations)),
      },
    });
    return { facts, permits };
  };
  return { clock, etcd, node };
}

describe('a permit to begin a move for balance', () => {
  test('is held by one node of two that ask for it without knowing of each other', async () => {
    const { etcd, node } = open();
    const [a, b] = [node('a'), node('b')];
    assert.equal(await a.permits.take('3', 'gate'), true);
    assert.equal(await b.permits.take('3', 'yard'), false);
    assert.deepEqual(JSON.parse((etcd.entries.get(keys.permit('3')) as KeyValue).value), {
      node: 'a',
      camera: 'gate',
    });
    assert.equal(a.permits.free.includes('3'), false);
    assert.equal(a.permits.free.length, 9);
  });

  test('is free again after a minute, for a node that sees that, and not before', async () => {
    const { clock, etcd, node } = open();
    const { facts, permits } = node('a');
    etcd.watch((events) => facts.apply(events));
    assert.equal(await permits.take('0', 'gate'), true);
    await clock.run(60_500);
    assert.equal(await node('b').permits.take('0', 'yard'), false);
    await clock.run(62_000);
    assert.equal(permits.free.length, 10);
    assert.equal(await node('b').permits.take('0', 'yard'), true);
  });

  test('is not taken if its lease was granted so late that it would end within the minute', async () => {
    const { etcd, node } = open(2000);
    assert.equal(await node('a').permits.take('0', 'gate'), false);
    assert.equal(etcd.entries.size, 0);
  });

  test('is known from a snapshot, as it is to a node that restarts', () => {
    const { facts, permits } = open().node('a');
    const entry = { key: keys.permit('9'), value: '{}', createRevision: 1, modRevision: 1 };
    facts.replace([entry]);
    assert.equal(permits.free.length, 9);
    facts.replace([]);
    assert.equal(permits.free.length, 10);
  });
});
