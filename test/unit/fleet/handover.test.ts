/** When a node offers a camera, keeps it after all, and stops it without a taker. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Handovers, type Own } from '../../../src/fleet/handover';

function own(offers: Readonly<Record<string, string | undefined>>, rest: Partial<Own> = {}): Own {
  const owned = new Map(Object.entries(offers).map(([id, to]) => [id, to === undefined ? {} : { to }]));
  const wanted = [...owned.keys()].map((id) => ({ id, to: 'b' }));
  return { owned, wanted, isDraining: false, mayMove: () => true, isBroken: () => false, ...rest };
}

const NOTHING = { offer: [], retract: [], giveAway: [] };
const OFFER = { id: 'gate', to: 'b', because: 'balance' };

describe('a camera that belongs elsewhere', () => {
  test('is offered, once, and only while moves for balance are left', () => {
    const handovers = new Handovers();
    assert.deepEqual(handovers.turn(own({ gate: undefined }, { mayMove: () => false }), 0), NOTHING);
    assert.deepEqual(handovers.turn(own({ gate: undefined }), 0), { ...NOTHING, offer: [OFFER] });
    assert.deepEqual(handovers.turn(own({ gate: 'b' }, { mayMove: () => false }), 1000), NOTHING);
    const two = new Handovers().turn(
      own({ gate: undefined, yard: undefined }, { mayMove: (id) => id === 'gate' }),
      0,
    );
    assert.equal(two.offer.length, 1);
  });

  test('stays if the other node has captured no picture, and is not offered again soon', () => {
    const handovers = new Handovers();
    handovers.turn(own({ gate: undefined }), 0);
    assert.deepEqual(handovers.turn(own({ gate: 'b' }), 29_000), NOTHING);
    assert.deepEqual(handovers.turn(own({ gate: 'b' }), 31_000), { ...NOTHING, retract: ['gate'] });
    assert.deepEqual(handovers.turn(own({ gate: undefined }), 60_000), NOTHING);
    assert.deepEqual(handovers.turn(own({ gate: undefined }), 700_000).offer, [OFFER]);
  });

  test('stays if it belongs here again', () => {
    const handovers = new Handovers();
    handovers.turn(own({ gate: undefined }), 0);
    const turn = handovers.turn(own({ gate: 'b' }, { wanted: [] }), 1000);
    assert.deepEqual(turn, { ...NOTHING, retract: ['gate'] });
    assert.deepEqual(handovers.turn(own({ gate: undefined }, { wanted: [] }), 2000), NOTHING);
  });

  test('is offered to another node if the first has gone', () => {
    const handovers = new Handovers();
    handovers.turn(own({ gate: undefined }), 0);
    const turn = handovers.turn(own({ gate: 'b' }, { wanted: [{ id: 'gate', to: 'c' }] }), 1000);
    assert.deepEqual(turn, { ...NOTHING, offer: [{ ...OFFER, to: 'c' }] });
  });

  test('is stopped first if it allows one viewer or has no picture', () => {
    const turn = new Handovers().turn(own({ gate: undefined }, { isBroken: () => true }), 0);
    assert.deepEqual(turn, { ...NOTHING, giveAway: ['gate'] });
  });

  test('leaves a draining node whatever the bound is, and in the end without a taker', () => {
    const handovers = new Handovers();
    const draining = { isDraining: true, mayMove: () => false };
    const offer = [{ ...OFFER, because: 'drain' }];
    assert.deepEqual(handovers.turn(own({ gate: undefined }, draining), 0), { ...NOTHING, offer });
    assert.deepEqual(handovers.turn(own({ gate: 'b' }, draining), 29_000), NOTHING);
    const again = own({ gate: 'b' }, { ...draining, wanted: [{ id: 'gate', to: 'c' }] });
    assert.deepEqual(handovers.turn(again, 29_500).offer.length, 1, 'another node is its last chance');
    assert.deepEqual(handovers.turn(own({ gate: 'b' }, draining), 31_000).giveAway, ['gate']);
  });

  test('offered by an earlier daemon of this node is waited for, or kept', () => {
    assert.deepEqual(new Handovers().turn(own({ gate: 'b' }), 0), NOTHING);
    assert.deepEqual(new Handovers().turn(own({ gate: 'b' }, { wanted: [] }), 0).retract, ['gate']);
  });
});
