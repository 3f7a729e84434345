/** The owner of a namespace, derived from the value of its key. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimOf, NamespaceLease } from '../../../src/connections/namespace-lease';

const ME = { id: 'me', name: 'daemon of this test' };
const entry = (id: string, renewedAtMs: number) => JSON.stringify({ id, name: `daemon ${id}`, renewedAtMs });

describe('a namespace', () => {
  const rows: readonly [what: string, found: string | null, before: string | undefined, kind?: string][] = [
    ['without a key is free', null, undefined],
    ['whose key has expired since is free', null, entry('other', 1)],
    ['whose key names no owner is free', 'anything', undefined],
    ['whose key is empty is free', '', undefined],
    ['whose key is JSON of another kind is free', '[1]', undefined],
    ['whose key is null is free', 'null', undefined],
    ['of mine is held, renewed or not', entry('me', 1), entry('me', 1), 'held'],
    ["of mine that was another's is held", entry('me', 1), entry('other', 1), 'held'],
    ["seen at another for the first time may be a dead one's", entry('other', 1), undefined, 'unsure'],
    ["that another has not renewed may be a dead one's", entry('other', 1), entry('other', 1), 'unsure'],
    ['that another has renewed is taken', entry('other', 2), entry('other', 1), 'taken'],
    ['that a third has taken meanwhile is taken', entry('third', 1), entry('other', 1), 'taken'],
  ];
  for (const [what, found, before, kind] of rows)
    it(what, () => assert.equal(claimOf(ME, found, before)?.kind, kind));

  it('whose key never expires and is never renewed is taken after ten seconds', async () => {
    let [value, nowMs] = [entry('other', 1), 0];
    const client = {
      get: async () => Promise.resolve(value),
      set: async (_: string, written: string) => {
        value = written;
        return Promise.resolve('OK');
      },
    };
    const lease = new NamespaceLease(client as never, 'v', ME, () => nowMs);
    for (; nowMs < 10_000; nowMs += 1000) assert.equal((await lease.claim()).kind, 'unsure');
    assert.equal((await lease.claim()).kind, 'held');
  });
});
