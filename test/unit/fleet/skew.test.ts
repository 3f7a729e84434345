/** Clock skew between the nodes of a fleet: it is measured despite slow answers, and warned about once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClockWarning } from '../../../src/fleet/clock-warning';
import type { NodeRecord } from '../../../src/fleet/facts';
import { ClockSkews } from '../../../src/fleet/skew';
import { keptLog } from '../../../lab/kept-log';

const NOW = 1_795_381_133_000;

/** A node `aheadMs` ahead, whose sign of life number `beat` was written when it was `atMs`. */
function record(beat: number, atMs: number, aheadMs: number): NodeRecord {
  return { beat, clockMs: atMs + aheadMs } as NodeRecord;
}

/** Signs of life every five seconds, each with its own delay. */
function heard(aheadMs: number, delaysMs: readonly number[]): ClockSkews {
  const skews = new ClockSkews('north');
  for (const [beat, delayMs] of delaysMs.entries()) {
    const atMs = NOW + 5000 * beat;
    skews.hear(new Map([['south', record(beat, atMs, aheadMs)]]), atMs + delayMs);
  }
  return skews;
}

describe('the clock of another node', () => {
  test('is as far off as the fastest of its signs of life shows', () => {
    assert.equal(heard(0, [900, 3, 40]).of('south'), -3);
    assert.equal(heard(3_600_000, [5, 400]).of('south'), 3_599_995);
    assert.equal(heard(-3_600_000, [5, 400]).of('south'), -3_600_005);
  });

  test('is not known from one sign, from the same sign twice, or from signs that were read instead of received', () => {
    assert.equal(heard(0, [5]).of('south'), undefined);
    const skews = heard(0, [5]);
    skews.hear(new Map([['south', record(0, NOW, 0)]]), NOW + 9000);
    assert.equal(skews.of('south'), undefined);
    for (const beat of [1, 2, 3]) skews.hear(new Map([['south', record(beat, NOW, 0)]]), undefined);
    assert.equal(skews.of('south'), undefined);
  });

  test('is not compared with itself', () => {
    const skews = new ClockSkews('south');
    for (const beat of [1, 2, 3]) skews.hear(new Map([['south', record(beat, NOW, 900)]]), NOW);
    assert.deepEqual([skews.of('south'), skews.far.size], [undefined, 0]);
  });

  test('is forgotten with the node, and not required of a node that does not report it', () => {
    const skews = heard(1000, [5, 5]);
    skews.hear(new Map(), NOW);
    assert.equal(skews.of('south'), undefined);
    for (const beat of [1, 2, 3]) skews.hear(new Map([['old', { beat } as NodeRecord]]), NOW);
    assert.equal(skews.of('old'), undefined);
  });

  test('follows within half a minute when it is set', () => {
    const skews = heard(3_600_000, [5, 5, 5, 5, 5, 5]);
    for (let beat = 6; beat < 12; beat++) {
      const atMs = NOW + 5000 * beat;
      skews.hear(new Map([['south', record(beat, atMs, 0)]]), atMs + 5);
    }
    assert.equal(skews.of('south'), -5);
  });
});

describe('clocks that are too far away', () => {
  test('are those more than a quarter of a second away', () => {
    assert.deepEqual([...heard(250, [0, 0]).far], []);
    assert.deepEqual([...heard(251, [0, 0]).far], [['south', 251]]);
    assert.deepEqual([...heard(-251, [0, 0]).far], [['south', -251]]);
  });

  test('are warned about once, and reported when they agree again', () => {
    const log = keptLog();
    const warning = new ClockWarning(log);
    for (const ms of [3_599_995, 3_599_990]) warning.look(new Map([['south', ms]]));
    warning.look(new Map());
    warning.look(new Map());
    const code = 'fleet-clock';
    assert.deepEqual(log.lines, [
      [
        'warn',
        "the clock of node south is 3600.0 s ahead of this one's; keep all nodes' clocks together with NTP: a camera that moves between such nodes misses up to as many seconds as their clocks differ",
        { code },
      ],
      ['info', "the other nodes' clocks agree with this one's again", { code }],
    ]);
  });
});
