/** Owners of cameras, by node and by offer: always what the records say one by one, whatever is set and removed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../lab/random';
import type { Owned } from '../../../src/fleet/facts';
import { Owners } from '../../../src/fleet/owners';

const NODES = ['a', 'b', 'c'];
const REST = { sinceMs: 0, revision: 1, lease: '1' };

describe('the owners of cameras', () => {
  test('are found by node and by offer as by camera', (t) => {
    const random = seededRandom(t);
    const owners = new Owners();
    const plain = new Map<string, Owned>();
    for (let i = 0; i < 2000; i++) {
      const id = `c${random.between(0, 20)}`;
      if (random.next() < 0.02) {
        owners.clear();
        plain.clear();
      } else if (random.next() < 0.3) assert.equal(owners.delete(id), plain.delete(id));
      else {
        const offer = random.next() < 0.5 ? {} : { to: random.pick(NODES) };
        const record = { node: random.pick(NODES), ...offer, ...REST };
        owners.set(id, record);
        plain.set(id, record);
      }
      assert.deepEqual(new Map(owners), plain);
      for (const name of NODES) {
        const own = [...plain].filter(([, { node }]) => node === name);
        const offered = [...plain].filter(([, { to }]) => to === name);
        assert.deepEqual(new Map(owners.of(name)), new Map(own));
        assert.deepEqual(new Map(owners.offeredTo(name)), new Map(offered));
      }
    }
  });

  test('that have changed are reported to each reader, including those that existed before', () => {
    const owners = new Owners();
    owners.set('c1', { node: 'a', ...REST });
    const [one, other] = [owners.changes(), owners.changes()];
    assert.deepEqual([...one], ['c1']);
    one.clear();
    owners.set('c2', { node: 'a', ...REST });
    owners.delete('c1');
    assert.deepEqual([...one], ['c2', 'c1']);
    assert.deepEqual([...other], ['c1', 'c2']);
    one.clear();
    owners.clear();
    assert.deepEqual([...one], ['c2']);
  });
});
