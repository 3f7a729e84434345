/** How a node publishes its state: under its lease, in one request as long as nothing has intervened. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Compare, KeyValue, Operation } from '../../../src/etcd/etcd';
import { Facts, Keys, type NodeRecord } from '../../../src/fleet/facts';
import { Presence, type PresenceOptions } from '../../../src/fleet/presence';

const keys = new Keys('site');

/** One key of etcd. */
class OneKey {
  entry: KeyValue | undefined;
  requests = 0;

  readonly get = async () => {
    this.requests++;
    return this.entry;
  };

  readonly transact = async ([condition]: readonly Compare[], [operation]: readonly Operation[]) => {
    this.requests++;
    const { entry } = this;
    if (condition === undefined || operation === undefined || !('put' in operation)) return false;
    if ('lease' in condition && entry?.lease !== condition.lease) return false;
    if ('is' in condition && entry !== undefined) return false;
    if ('modRevision' in condition && entry?.modRevision !== condition.modRevision) return false;
    const { put: key, value, lease } = operation;
    const modRevision = (entry?.modRevision ?? 0) + 1;
    this.entry = { key, value, createRevision: 1, modRevision, ...(lease !== undefined && { lease }) };
    return true;
  };

  get record(): NodeRecord {
    return JSON.parse(this.entry?.value ?? '{}') as NodeRecord;
  }
}

function node(etcd: OneKey, id: string, lease = id) {
  const clock = { nowMs: 0 };
  const options = {
    ...{ etcd, node: 'north', holder: { id, name: `daemon ${id}` }, capacity: 1, version: '1' },
    configuration: () => 'same',
  } as unknown as PresenceOptions;
  const under = { id: lease };
  const presence = new Presence(options, {
    keys,
    facts: new Facts(keys),
    lease: under,
    now: () => clock.nowMs,
  });
  return { presence, clock };
}

describe('a node', () => {
  test('sends a sign of life in one request, every five seconds', async () => {
    const etcd = new OneKey();
    const { presence, clock } = node(etcd, 'a');
    assert.equal(await presence.show('member'), true);
    etcd.requests = 0;
    for (; clock.nowMs < 60_000; clock.nowMs += 1000) assert.equal(await presence.show('member'), true);
    assert.ok(etcd.requests <= 12, String(etcd.requests));
    assert.ok(etcd.record.beat > 8);
  });

  test('adopts its own key under a new lease, and is refused that of another daemon, whose address is named', async () => {
    const etcd = new OneKey();
    assert.equal(await node(etcd, 'a', '1').presence.show('member'), true);
    assert.equal(await node(etcd, 'a', '2').presence.show('draining'), true);
    assert.deepEqual([etcd.entry?.lease, etcd.record.state], ['2', 'draining']);
    await assert.rejects(
      node(etcd, 'b', '3').presence.show('member'),
      /is the daemon a; give this one another/,
    );
    assert.equal(etcd.record.id, 'a');
  });

  test('is refused a key that no node has written, and the key is named', async () => {
    const etcd = new OneKey();
    const key = keys.node('north');
    etcd.entry = { key, value: '{}', createRevision: 1, modRevision: 1 };
    await assert.rejects(node(etcd, 'a').presence.show('member'), {
      code: 'node-in-use',
      message: /^the key \S+\/nodes\/north in etcd, .* has a value that no node has written; delete it/,
    });
    assert.equal(etcd.entry.value, '{}');
  });

  test('reports at once, in a sign of life, that cameras move for its balance', async () => {
    const etcd = new OneKey();
    const { presence } = node(etcd, 'a');
    await presence.show('member');
    presence.balances(true);
    await presence.show('member');
    assert.equal(etcd.record.isBalancing, true);
    presence.balances(false);
    await presence.show('member');
    assert.equal(etcd.record.isBalancing, undefined);
  });
});
