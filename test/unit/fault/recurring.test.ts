/** Recurring faults: how long until the next try, and how often they are reported. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backOffMs } from '../../../src/clock/back-off';
import { RecurringFault } from '../../../src/fault/recurring';
import { RecurringFaults } from '../../../src/fault/recurring-faults';
import { Sparse } from '../../../src/log/sparse';
import { keptLog } from '../../../lab/kept-log';
import { seededRandom } from '../../../lab/random';

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
    it(`from ${firstMs} to ${capMs} ms, try ${attempt}, random ${random}: ${expected} ms`, () =>
      assert.equal(backOffMs({ firstMs, capMs }, attempt, random), expected));

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
    let due: { atMs: number; act: () => void } | undefined;
    const after = (ms: number, act: () => void) => {
      due = { atMs: clock.now + ms, act };
      return () => (due = undefined);
    };
    return {
      log,
      fault: new RecurringFault(log, () => clock.now, after),
      pass: (ms: number) => {
        const untilMs = clock.now + ms;
        while (due !== undefined && due.atMs <= untilMs) {
          const { atMs, act } = due;
          due = undefined;
          clock.now = atMs;
          act();
        }
        clock.now = untilMs;
      },
    };
  }

  it('is reported at once, then not for a minute, then with its count', () => {
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

  it('starts counting again after each report', () => {
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

  it('with another code is reported at once', () => {
    const { log, fault: recurring } = fault();
    recurring.report(AWAY);
    recurring.report(FULL);
    assert.deepEqual(
      log.lines.map(([, message]) => message),
      [AWAY.message, FULL.message],
    );
  });

  it('is over once, when nothing has failed for ten seconds, and only if there was a fault', () => {
    const { log, fault: recurring, pass } = fault();
    recurring.clear('it is back');
    pass(60_000);
    assert.deepEqual(log.lines, []);
    recurring.report(AWAY);
    recurring.clear('it is back');
    pass(9999);
    assert.equal(log.lines.length, 1);
    pass(1);
    recurring.clear('it is back');
    pass(60_000);
    assert.deepEqual(log.lines.slice(1), [['info', 'it is back']]);
  });

  it('that fails again before it is steady is not over', () => {
    const { log, fault: recurring, pass } = fault();
    for (let i = 0; i < 6; i++) {
      recurring.report(AWAY);
      recurring.clear('it is back');
      pass(9000);
    }
    assert.equal(log.lines.length, 1);
  });

  it('that returns after it was over is reported at once, and is over only after a minute', () => {
    const { log, fault: recurring, pass } = fault();
    recurring.report(AWAY);
    recurring.clear('it is back');
    pass(10_000);
    recurring.report(AWAY);
    assert.deepEqual(log.lines.at(-1), ['warn', 'the server is away', { code: 'away' }]);
    recurring.clear('it is back');
    pass(59_000);
    assert.equal(log.lines.length, 3);
    pass(1000);
    assert.deepEqual(log.lines.at(-1), ['info', 'it is back']);
  });

  for (const [what, upMs, downMs, most] of [
    ['every two seconds', 1000, 1000, 12],
    ['every seven seconds', 5000, 2000, 12],
    ['every 15 seconds', 11_000, 4000, 14],
    ['every 40 seconds', 35_000, 5000, 14],
  ] as const)
    it(`that comes and goes ${what} is logged about once a minute, not each time, for ten minutes`, () => {
      const { log, fault: recurring, pass } = fault();
      for (let ms = 0; ms < 600_000; ms += upMs + downMs) {
        recurring.report(AWAY);
        recurring.report(FULL);
        pass(downMs);
        recurring.clear('it is back');
        pass(upMs);
      }
      assert.ok(log.lines.length <= most, log.lines.map(([, message]) => message).join('\n'));
      pass(60_000);
      assert.deepEqual(log.lines.at(-1), ['info', 'it is back']);
    });

  it('is reported once a minute even if two alternate, such as "refused" and "unreachable" of Redis', () => {
    const { log, fault: recurring, pass } = fault();
    for (let i = 0; i < 100; i++) {
      recurring.report(AWAY);
      recurring.report(FULL);
      pass(200);
    }
    assert.ok(log.lines.length <= 4, `${log.lines.length} lines in 20 s`);
  });
});

describe('Sparse', () => {
  it('logs ten lines a minute, and how many it skipped', () => {
    const clock = { now: 0 };
    const sparse = new Sparse(() => clock.now);
    const said: number[] = [];
    for (; clock.now < 120_000; clock.now += 1000)
      sparse.say((skipped) => {
        said.push(skipped);
      });
    assert.deepEqual(said, [
      ...Array.from({ length: 10 }, () => 0),
      50,
      ...Array.from({ length: 9 }, () => 0),
    ]);
  });
});

describe('the recurring faults of several subjects', () => {
  it('are reported separately, and the end of one logs the sentence of its subject', (t) => {
    t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
    const log = keptLog();
    const faults = new RecurringFaults(log, { disk: 'the disk is well', clock: 'the clock is well' });
    faults.clear('clock');
    faults.report('disk', { code: 'full', message: 'the disk is full' });
    faults.report('clock', { code: 'wrong', message: 'the clock is wrong' });
    faults.report('disk', { code: 'full', message: 'the disk is full' });
    faults.clear('disk');
    t.mock.timers.tick(10_000);
    assert.deepEqual(log.lines, [
      ['warn', 'the disk is full', { code: 'full' }],
      ['warn', 'the clock is wrong', { code: 'wrong' }],
      ['info', 'the disk is well'],
    ]);
  });
});
