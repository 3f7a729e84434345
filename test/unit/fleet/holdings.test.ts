/** What a node believes after its own transactions: watch events that arrive before the answers count. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Facts, Keys } from '../../../src/fleet/facts';
import { Holdings } from '../../../src/fleet/holdings';
import { Lease } from '../../../src/fleet/lease';

const keys = new Keys('f');
const key = keys.camera('gate');

async function open() {
  const facts = new Facts(keys);
  const lease = new Lease(
    {
      grant: () => Promise.resolve('7'),
      keepAlive: () => Promise.resolve(true),
      revoke: () => Promise.resolve(),
    },
    () => 0,
  );
  await lease.renew();
  const bench = {
    ...{ beforeAnswer: (): void => undefined, beforeHeld: (): void => undefined },
    ...{ held: new Set<string>(), answer: true },
  };
  const holdings = new Holdings({
    ...{ node: 'a', keys, facts, lease },
    etcd: {
      transact: () => {
        bench.beforeAnswer();
        return Promise.resolve(bench.answer);
      },
    },
    onHeld: (ids) => {
      bench.beforeHeld();
      bench.held = new Set(ids);
      return Promise.resolve();
    },
  });
  const put = (node: string, lease: string) => {
    const value = JSON.stringify({ node, sinceMs: 1 });
    facts.apply([{ kind: 'put', entry: { key, value, createRevision: 1, modRevision: 1, lease } }]);
  };
  const remove = () => facts.apply([{ kind: 'delete', key }]);
  return { facts, holdings, bench, put, remove };
}

describe('a node', () => {
  test('that gave a camera away knows its new owner, whether the watch or the answer came first', async () => {
    for (const isFirst of [true, false]) {
      const { facts, holdings, bench, put, remove } = await open();
      await holdings.take(['gate']);
      const taken = () => {
        remove();
        put('b', '8');
      };
      if (isFirst) bench.beforeAnswer = taken;
      await holdings.giveAway(['gate']);
      if (!isFirst) taken();
      assert.equal(facts.owners.get('gate')?.node, 'b');
      await holdings.agree(new Set(['gate']));
      assert.deepEqual([...bench.held], []);
    }
  });

  test('that stops a camera for another that has just taken ownership still knows that one as its owner', async () => {
    const { facts, holdings, bench, put } = await open();
    await holdings.take(['gate']);
    bench.beforeHeld = () => put('b', '8');
    bench.answer = false;
    await holdings.giveAway(['gate']);
    assert.equal(facts.owners.get('gate')?.node, 'b');
  });

  test('that lost the race for a camera does not hold it', async () => {
    const { holdings, bench } = await open();
    bench.answer = false;
    assert.deepEqual(await holdings.take(['gate']), []);
    assert.equal(holdings.ids.size, 0);
  });

  test('that is back puts its keys under its new lease, and releases cameras that another node has', async () => {
    const { facts, holdings, bench, put } = await open();
    put('a', '6');
    await holdings.agree(new Set(['gate']));
    assert.equal(facts.owners.get('gate')?.lease, '7');
    assert.deepEqual([...bench.held], ['gate']);
    put('b', '8');
    await holdings.agree(new Set(['gate']));
    assert.deepEqual([...bench.held], []);
  });

  test('creates the keys of its cameras again if etcd has lost them', async () => {
    const { facts, holdings, bench, remove } = await open();
    await holdings.take(['gate']);
    remove();
    await holdings.agree(new Set(['gate']));
    assert.equal(facts.owners.get('gate')?.node, 'a');
    assert.deepEqual([...bench.held], ['gate']);
  });

  test('does not offer a camera that another node has taken meanwhile', async () => {
    const { facts, holdings, bench, put } = await open();
    await holdings.take(['gate']);
    put('b', '8');
    let asked = 0;
    bench.beforeAnswer = () => asked++;
    await holdings.offer('gate', { to: 'c', toBecause: 'drain' });
    assert.equal(asked, 0);
    assert.deepEqual(facts.owners.get('gate')?.to, undefined);
  });
});
