/** A broker that refuses everything: what is renewed, in which order, and that a confirm ends it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refusals } from '../../../../src/actors/notifier/refusals';

/** Refuses once a second from `fromMs` on; returns the time at which something must be done. */
function refusedUntilLasting(refusals: Refusals, fromMs: number): number {
  for (let now = fromMs; now < fromMs + 120_000; now += 1000) {
    refusals.refused(now);
    if (refusals.areLasting(now)) return now;
  }
  throw new Error('it never lasts');
}

describe('refusals', () => {
  it('ask for a new channel after three seconds, then for a new connection, then for other hosts ever more slowly', () => {
    const refusals = new Refusals();
    const done: [string, number][] = [];
    let now = 0;
    for (let i = 0; i < 8; i++) {
      const at = refusedUntilLasting(refusals, now);
      done.push([refusals.remedy(), at - now]);
      now = at;
    }
    assert.deepEqual(done, [
      ['channel', 3000],
      ['connection', 3000],
      ['host', 3000],
      ['host', 6000],
      ['host', 12_000],
      ['host', 24_000],
      ['host', 30_000],
      ['host', 30_000],
    ]);
  });

  it('are forgotten with every confirm, and with them what was tried', () => {
    const refusals = new Refusals();
    refusedUntilLasting(refusals, 0);
    assert.equal(refusals.remedy(), 'channel');
    refusals.refused(4000);
    refusals.confirmed();
    refusals.refused(7000);
    refusals.refused(9000);
    assert.equal(refusals.areLasting(9999), false);
    assert.equal(refusals.areLasting(10_000), true);
    assert.equal(refusals.remedy(), 'channel');
  });

  it('are checked again later if there is another reason', () => {
    const refusals = new Refusals();
    const at = refusedUntilLasting(refusals, 0);
    refusals.excuse();
    assert.equal(refusals.areLasting(at), false);
    assert.equal(refusedUntilLasting(refusals, at), at + 3000);
    assert.equal(refusals.remedy(), 'channel');
  });

  it('do not last if there was only one', () => {
    const refusals = new Refusals();
    refusals.refused(0);
    assert.equal(refusals.areLasting(60_000), false);
  });
});
