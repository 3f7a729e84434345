/** The hosts of a cluster: the one that failed last is tried last. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostOrder } from '../../../src/connections/host-order';

describe('the order of hosts', () => {
  it('is that of the URL as long as none has failed', () =>
    assert.deepEqual(new HostOrder(['a', 'b', 'c']).next(), ['a', 'b', 'c']));

  for (const [failed, order] of [
    ['a', 'b c a'],
    ['b', 'a c b'],
    ['a b', 'c a b'],
    ['a b a', 'c b a'],
    ['a b c', 'a b c'],
    ['a b c a', 'b c a'],
    ['a b c a b b', 'c a b'],
  ] as const)
    it(`is ${order} when one after the other failed: ${failed}`, () => {
      const hosts = new HostOrder(['a', 'b', 'c']);
      for (const host of failed.split(' ')) hosts.failed(host);
      assert.deepEqual(hosts.next(), order.split(' '));
    });
});
