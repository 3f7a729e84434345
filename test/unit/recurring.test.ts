/** Troubles that repeat: how long until the next try, and how often they are told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backOffMs } from '../../src/clock/back-off';
import { RecurringFault } from '../../src/log/recurring';
import { keptLog } from './support/kept-log';
import { seededRandom } from './support/random';

describe('backOffMs', () => {
  const rows: readonly [number, number, number, number, number][] = [
    [500, 30_000, 1, 0, 0],
    [500, 30_000, 1, 0.5, 250],
    [500, 30_000, 1, 1, 500],
    [500, 30_000, 2, 1, 1000],
    [500, 30_000, 3, 0.5, 1000],
    [500, 30_000, 6, 1, 16_000],
    [500, 30_000, 7, 1, 30_000],
    [500, 30_000, 1_000_000, 1, 30_000],
    [500, 30_000, Number.MAX_SAFE_INTEGER, 0.1, 3000],
    [5000, 100, 1, 1, 100],
  ];
  for (const [firstMs, capMs, attempt, random, expected] of rows)
    it(`from ${String(firstMs)} to ${String(capMs)} ms, try ${String(attempt)}, random ${String(random)}: ${String(expected)} ms`, () => {
      assert.equal(backOffMs({ firstMs, capMs }, attempt, random), expected);
    });

  it('is a whole number, never below 0 nor above the cap, and grows with the tries', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 2000; i++) {
      const bounds = { firstMs: random.between(1, 5000), capMs: random.between(1, 60_000) };
      const [attempt, share] = [random.between(1, 100), random.next()];
      const ms = backOffMs(bounds, attempt, share);
      assert.ok(
        Number.isInteger(ms) && ms >= 0 && ms <= bounds.capMs,
        JSON.stringify({ bounds, attempt, ms }),
      );
      assert.ok(backOffMs(bounds, attempt + 1, share) >= ms);
    }
  });
});

describe('RecurringFault', () => {
  const AWAY = { code: 'away', message: 'the server is away' };
  const FULL = { code: 'full', message: 'the server is full' };

  function fault() {
    const log = keptLog();
    const clock = { now: 1_700_000_000_000 };
    return {
      log,
      fault: new RecurringFault(log, () => clock.now),
      pass: (ms: number) => {
        clock.now += ms;
      },
    };
  }

  it('is said at once, then not for a minute, then with its count', () => {
    const { log, fault: recurring, pass } = fault();
    recurring.report(AWAY);
    assert.deepEqual(log.lines, [['warn', 'the server is away', { code: 'away' }]]);
    for (let i = 0; i < 599; i++) {
      pass(100);
      recurring.report(AWAY);
    }
    assert.equal(log.lines.length, 1);
    pass(100);
    recurring.report(AWAY);
    assert.deepEqual(log.lines.slice(1), [['warn', 'the server is away', { code: 'away', times: 600 }]]);
    recurring.report(AWAY);
    assert.equal(log.lines.length, 2);
  });

  it('counts anew after each time it was said', () => {
    const { log, fault: recurring, pass } = fault();
    for (let minute = 0; minute < 3; minute++) {
      recurring.report(AWAY);
      recurring.report(AWAY);
      pass(60_000);
    }
    assert.deepEqual(
      log.lines.map(([, , fields]) => fields?.['times']),
      [undefined, 2, 2],
    );
  });

  it('of another code is said at once', () => {
    const { log, fault: recurring } = fault();
    recurring.report(AWAY);
    recurring.report(FULL);
    assert.deepEqual(
      log.lines.map(([, message]) => message),
      [AWAY.message, FULL.message],
    );
  });

  it('is over once, and only if there was any', () => {
    const { log, fault: recurring } = fault();
    recurring.clear('it is back');
    assert.deepEqual(log.lines, []);
    recurring.report(AWAY);
    recurring.clear('it is back');
    recurring.clear('it is back');
    assert.deepEqual(log.lines.slice(1), [['info', 'it is back']]);
  });

  it('that comes again after it was over is said at once', () => {
    const { log, fault: recurring } = fault();
    recurring.report(AWAY);
    recurring.clear('it is back');
    recurring.report(AWAY);
    assert.deepEqual(log.lines.at(-1), ['warn', 'the server is away', { code: 'away' }]);
  });

  it('is said once a minute also where two take turns, as "refused" and "unreachable" of Redis do', () => {
    const { log, fault: recurring, pass } = fault();
    for (let i = 0; i < 100; i++) {
      recurring.report(AWAY);
      recurring.report(FULL);
      pass(200);
    }
    assert.ok(log.lines.length <= 4, `${String(log.lines.length)} lines in 20 s`);
  });
});
