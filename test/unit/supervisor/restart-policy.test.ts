/** The restart policy against OTP's documented semantics: https://www.erlang.org/doc/system/sup_princ.html */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChildSpec } from '../../../src/config/topology';
import {
  afterEnd,
  isHealthy,
  isReleased,
  NO_HISTORY,
  withOutput,
  type ChildHistory,
  type Output,
} from '../../../src/supervisor/restart-policy';
import { seededRandom } from '../../../lab/random';

const SPEC: ChildSpec = {
  restart: 'permanent',
  maxRestarts: 3,
  periodMs: 5000,
  backOff: { firstMs: 250, capMs: 30_000 },
  startMs: 3000,
  shutdownMs: 2500,
};
const CRASH = { normal: false, output: undefined, quarantined: false };
const NOW = 1_000_000;

/** What follows the last of crashes at these times. */
function afterCrashes(times: readonly number[], spec: Partial<ChildSpec> = {}, random = 0) {
  let history: ChildHistory = NO_HISTORY;
  for (const [i, at] of times.entries()) {
    const decision = afterEnd({ ...SPEC, ...spec }, history, CRASH, at, random);
    if (i === times.length - 1) return decision;
    if (decision.kind !== 'restart') throw new Error(`crash ${i + 1}: ${decision.kind}`);
    history = decision.history;
  }
  throw new Error('no crash');
}

describe('restart types', () => {
  const rows: readonly [ChildSpec['restart'], string, boolean, string][] = [
    ['permanent', 'normally', true, 'restart'],
    ['permanent', 'abnormally', false, 'restart'],
    ['transient', 'normally', true, 'over'],
    ['transient', 'abnormally', false, 'restart'],
    ['temporary', 'normally', true, 'over'],
    ['temporary', 'abnormally', false, 'over'],
  ];
  for (const [restart, how, normal, kind] of rows)
    it(`a ${restart} child that ends ${how}: ${kind}`, () => {
      const decision = afterEnd(
        { ...SPEC, restart },
        NO_HISTORY,
        { normal, output: undefined, quarantined: false },
        NOW,
        0,
      );
      assert.equal(decision.kind, kind);
    });

  it('a child that is never restarted never exceeds an intensity', () => {
    const spec = { ...SPEC, restart: 'temporary', maxRestarts: 0 } as const;
    assert.equal(afterEnd(spec, NO_HISTORY, CRASH, NOW, 0).kind, 'over');
  });
});

describe('intensity', () => {
  const rows: readonly [string, number, readonly number[], string][] = [
    ['the first crash where none is allowed', 0, [0], 'escalate'],
    ['the first crash where one is allowed', 1, [0], 'restart'],
    ['the second at the same moment where one is allowed', 1, [0, 0], 'escalate'],
    ['as many as allowed within the period', 3, [0, 1000, 2000], 'restart'],
    ['one more than allowed within the period', 3, [0, 1000, 2000, 3000], 'escalate'],
    ['one more exactly a period after the first', 3, [0, 1000, 2000, 5000], 'escalate'],
    ['one more when the first has left the period', 3, [0, 1000, 2000, 5001], 'restart'],
    ['a window that slides', 3, [0, 2000, 4000, 6000, 8000, 10_000], 'restart'],
    ['a burst after a quiet time', 3, [0, 100_000, 100_001, 100_002, 100_003], 'escalate'],
  ];
  for (const [what, maxRestarts, times, kind] of rows)
    it(`${what}: ${kind}`, () => assert.equal(afterCrashes(times, { maxRestarts }).kind, kind));

  it('matches the definition, for random crashes', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 500; round++) {
      const [maxRestarts, periodMs] = [random.between(0, 5), random.between(1000, 10_000)];
      let history: ChildHistory = NO_HISTORY;
      const crashes: number[] = [];
      for (let at = 0; ; at += random.between(0, 4000)) {
        crashes.push(at);
        const decision = afterEnd({ ...SPEC, maxRestarts, periodMs }, history, CRASH, at, 0);
        const within = crashes.filter((time) => time >= at - periodMs).length;
        assert.equal(decision.kind === 'escalate', within > maxRestarts);
        if (decision.kind !== 'restart' || crashes.length > 30) break;
        history = decision.history;
      }
    }
  });
});

describe('quarantine', () => {
  const probed = { ...SPEC, probeMs: 60_000 };
  const TRIED = { ...CRASH, quarantined: true };

  it('applies to a child over its intensity that has a probeMs', () => {
    const decision = afterCrashes([0, 1, 2, 3], { probeMs: 60_000 });
    assert.deepEqual(decision, { kind: 'quarantine', probeMs: 60_000 });
  });

  it('holds after every end of a try, even if the intensity is no longer exceeded', () => {
    for (const at of [NOW, NOW + 1_000_000]) {
      const decision = afterEnd(probed, NO_HISTORY, TRIED, at, 0);
      assert.deepEqual(decision, { kind: 'quarantine', probeMs: 60_000 });
    }
  });

  it('is over for good when a try ends as its restart type allows', () => {
    const ended = { ...TRIED, normal: true };
    assert.deepEqual(afterEnd({ ...probed, restart: 'transient' }, NO_HISTORY, ended, NOW, 0), {
      kind: 'over',
    });
  });

  it('is left after ten seconds of output, not after one frame', () => {
    assert.ok(!isReleased(undefined));
    assert.ok(!isReleased({ since: NOW, last: NOW }));
    assert.ok(!isReleased({ since: NOW, last: NOW + 9999 }));
    assert.ok(isReleased({ since: NOW, last: NOW + 10_000 }));
  });
});

describe('back-off', () => {
  const patient = { maxRestarts: 1000 };
  const pauses: readonly [number, number, number][] = [
    [1, 1, 0],
    [2, 0, 0],
    [2, 0.5, 125],
    [2, 1, 250],
    [3, 1, 500],
    [8, 1, 16_000],
    [9, 1, 30_000],
    [500, 1, 30_000],
  ];
  for (const [crash, random, delayMs] of pauses)
    it(`crash ${crash} at random ${random}: ${delayMs} ms`, () => {
      const decision = afterCrashes(
        Array.from({ length: crash }, () => 0),
        patient,
        random,
      );
      assert.equal(decision.kind === 'restart' && decision.delayMs, delayMs);
    });

  const lives: readonly [string, Output | undefined, number][] = [
    ['that produced nothing, however long it ran', undefined, 250],
    ['that produced output for 59.999 s', { since: 0, last: 59_999 }, 250],
    ['that produced output for 60 s', { since: 0, last: 60_000 }, 0],
  ];
  for (const [what, output, delayMs] of lives)
    it(`of a child ${what}: ${delayMs} ms after its second crash`, () => {
      const history = { restarts: [], crashes: 1 };
      const decision = afterEnd(SPEC, history, { ...CRASH, output }, 600_000, 1);
      assert.equal(decision.kind === 'restart' && decision.delayMs, delayMs);
    });
});

describe('output', () => {
  it('continues over pauses of half a minute, and starts again after longer ones', () => {
    let output = withOutput(undefined, 0);
    output = withOutput(output, 30_000);
    output = withOutput(output, 60_000);
    assert.ok(isHealthy(output));
    output = withOutput(output, 90_001);
    assert.deepEqual(output, { since: 90_001, last: 90_001 });
    assert.ok(!isHealthy(output));
  });
});
