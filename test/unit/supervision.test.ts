/** Supervision: when a child comes back, when it stays away, and how often its troubles are told. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { backOffMs } from '../../src/clock/back-off';
import type { Log, LogFields } from '../../src/log/log';
import { RecurringFault } from '../../src/log/recurring';
import { Fault } from '../../src/protocol/fault';
import { Child, type Incarnation } from '../../src/supervisor/child';
import { countedCrashes, restartDelayMs } from '../../src/supervisor/restart-policy';
import { seededRandom } from './support/random';
import { settled, until } from './support/until';

type Line = readonly [string, string, LogFields?];

/** A log that keeps its lines. */
function keptLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    lines.push(fields === undefined ? [level, message] : [level, message, fields]);
  };
  return { lines, error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

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

describe('the restart policy', () => {
  const NOW = 1_700_000_000_000;
  const crashes: readonly [string, number, number | undefined, number][] = [
    ['a first crash', 1, undefined, 1],
    ['crashes of a child that never worked', 9, undefined, 9],
    ['crashes of a child that had just begun to work', 9, NOW, 9],
    ['crashes of a child that worked for 59.999 s', 9, NOW - 59_999, 9],
    ['crashes of a child that worked for 60 s', 9, NOW - 60_000, 1],
    ['crashes of a child that worked for a day', 9, NOW - 86_400_000, 1],
    ['crashes of a child that begins to work tomorrow (a clock set back)', 9, NOW + 86_400_000, 9],
  ];
  for (const [what, count, workingSince, expected] of crashes)
    it(`counts ${String(expected)} for ${what}`, () => {
      assert.equal(countedCrashes({ crashes: count, workingSince }, NOW), expected);
    });

  const delays: readonly [number, number, number][] = [
    [0, 1, 0],
    [1, 1, 0],
    [2, 1, 250],
    [2, 0.5, 125],
    [2, 0, 0],
    [3, 1, 500],
    [8, 1, 16_000],
    [9, 1, 30_000],
    [1000, 1, 30_000],
  ];
  for (const [count, random, expected] of delays)
    it(`waits ${String(expected)} ms after crash ${String(count)} at random ${String(random)}`, () => {
      assert.equal(restartDelayMs(count, random), expected);
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

/** A child program that ends when the test says so. */
class Program implements Incarnation {
  stops = 0;
  #end: (how: string) => void = () => undefined;
  readonly ended = new Promise<string>((resolve) => {
    this.#end = resolve;
  });

  constructor(readonly pid: number) {}

  end(how = 'by SIGKILL'): void {
    this.#end(how);
  }

  async stop(): Promise<void> {
    this.stops++;
    this.end('by SIGTERM');
  }
}

/** Starts a child in one of its two ways; rejects only as `start` does. */
async function startIn(way: 'start' | 'startWhenPossible', child: Child): Promise<void> {
  if (way === 'start') await child.start();
  else child.startWhenPossible();
}

type Start = (attempt: number, signal: AbortSignal) => Promise<Program> | Program;

function childOf(t: TestContext, start: Start = (attempt) => new Program(attempt), onEnded?: () => void) {
  const log = keptLog();
  const programs: Program[] = [];
  const attempts: AbortSignal[] = [];
  const child = new Child({
    name: 'camera:gate',
    log,
    start: async (signal) => {
      attempts.push(signal);
      const program = await start(attempts.length, signal);
      programs.push(program);
      return program;
    },
    ...(onEnded === undefined ? {} : { onEnded }),
  });
  t.after(() => child.stop());
  return {
    child,
    log,
    programs,
    attempts,
    running: (count: number) => until(`program ${String(count)} runs`, () => child.pid === count),
  };
}

describe('a child', () => {
  it('runs when start resolves, and has its pid', async (t) => {
    const { child, programs } = childOf(t);
    assert.equal(child.pid, undefined);
    await child.start();
    assert.equal(child.name, 'camera:gate');
    assert.equal(child.pid, 1);
    assert.equal(programs.length, 1);
  });

  it('that ends is started again, each time', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, log, running } = childOf(t);
    await child.start();
    for (let count = 1; count <= 5; count++) {
      await running(count);
      programs.at(-1)?.end();
    }
    await running(6);
    assert.deepEqual(log.lines.slice(0, 2), [
      ['warn', 'camera:gate (pid 1) ended by SIGKILL'],
      ['info', 'camera:gate is started again'],
    ]);
    assert.ok(programs.every(({ stops }) => stops === 0));
  });

  it('that ends is told of before it is started again', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const events: string[] = [];
    const { child, programs, running } = childOf(
      t,
      (attempt) => {
        events.push(`start ${String(attempt)}`);
        return new Program(attempt);
      },
      () => events.push('ended'),
    );
    await child.start();
    programs[0]?.end();
    await running(2);
    assert.deepEqual(events, ['start 1', 'ended', 'start 2']);
  });

  it('whose first start fails throws why, and is not tried again', async (t) => {
    const { child, attempts, log } = childOf(t, () => {
      throw new Fault('port-in-use', 'port 6379 is in use');
    });
    await assert.rejects(child.start(), { code: 'port-in-use' });
    await settled();
    assert.equal(attempts.length, 1);
    assert.deepEqual(log.lines, []);
    await child.stop();
  });

  it('whose first start failed can be started when possible', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, running } = childOf(t, (attempt) => {
      if (attempt < 3) throw new Error('not yet');
      return new Program(attempt);
    });
    await assert.rejects(child.start(), /not yet/);
    child.startWhenPossible();
    await running(3);
  });

  it('whose start fails is tried until it runs, and each failure is logged', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, log, running } = childOf(t, (attempt) => {
      if (attempt < 4) throw new Fault('actor-start', `try ${String(attempt)} failed`);
      return new Program(attempt);
    });
    child.startWhenPossible();
    await running(4);
    assert.deepEqual(
      log.lines.filter(([level]) => level === 'error').map(([, message]) => message),
      ['camera:gate: try 1 failed', 'camera:gate: try 2 failed', 'camera:gate: try 3 failed'],
    );
  });

  it('that ran and then fails to start is tried again too', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, running } = childOf(t, (attempt) => {
      if (attempt === 2 || attempt === 3) throw new Error('no memory');
      return new Program(attempt);
    });
    await child.start();
    programs[0]?.end();
    await running(4);
  });

  it('is started again at once, then after pauses that double', async (t) => {
    t.mock.method(Math, 'random', () => 1);
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { child, programs, log, attempts, running } = childOf(t);
    await child.start();
    const pauses = [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [i, pauseMs] of pauses.entries()) {
      programs[i]?.end();
      await until('said', () => log.lines.length === 2 * (i + 1));
      assert.deepEqual(log.lines.at(-1), [
        'info',
        `camera:gate is started again${pauseMs === 0 ? '' : ` in ${String(pauseMs)} ms`}`,
      ]);
      t.mock.timers.tick(Math.max(0, pauseMs - 1));
      await settled(10);
      if (pauseMs > 0) assert.equal(attempts.length, i + 1, 'not before its time');
      t.mock.timers.tick(1);
      await running(i + 2);
    }
  });

  it('that did its work for a minute has its crashes forgotten; one that only ran has not', async (t) => {
    t.mock.method(Math, 'random', () => 1);
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { child, programs, log, running } = childOf(t);
    await child.start();
    const endAndSay = async (): Promise<string | undefined> => {
      const said = log.lines.length;
      const lives = programs.length + 1;
      programs.at(-1)?.end();
      await until('said', () => log.lines.length === said + 2);
      const message = log.lines.at(-1)?.[1];
      t.mock.timers.tick(30_000);
      await running(lives);
      return message?.replace('camera:gate is started again', '').trim();
    };
    assert.equal(await endAndSay(), '');
    assert.equal(await endAndSay(), 'in 250 ms');
    t.mock.timers.tick(600_000);
    assert.equal(await endAndSay(), 'in 500 ms');
    child.worked();
    t.mock.timers.tick(59_999);
    child.worked();
    assert.equal(await endAndSay(), 'in 1000 ms');
    child.worked();
    t.mock.timers.tick(30_000);
    child.worked();
    t.mock.timers.tick(30_000);
    assert.equal(await endAndSay(), '');
    assert.equal(await endAndSay(), 'in 250 ms');
  });

  it('is given a signal at each start that is aborted by stop', async (t) => {
    const { child, attempts } = childOf(t);
    await child.start();
    assert.equal(attempts[0]?.aborted, false);
    await child.stop();
    assert.equal(attempts[0].aborted, true);
  });

  it('leaves no listener behind from its earlier lives', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, attempts, running } = childOf(t);
    await child.start();
    for (let count = 1; count <= 9; count++) {
      await running(count);
      programs.at(-1)?.end();
    }
    await running(10);
    const [signal] = attempts;
    assert.ok(signal !== undefined);
    const listeners = getEventListeners(signal, 'abort').length;
    assert.ok(listeners <= 2, `${String(listeners)} listeners`);
  });
});

describe('stopping a child', () => {
  it('that runs stops it once, and starts it no more', async (t) => {
    const { child, programs, attempts, log } = childOf(t);
    await child.start();
    await child.stop();
    await settled();
    assert.equal(programs[0]?.stops, 1);
    assert.equal(attempts.length, 1);
    assert.equal(child.pid, undefined);
    assert.deepEqual(log.lines, []);
  });

  it('waits until it has gone', async (t) => {
    const gone = { now: false };
    let finish = (): void => undefined;
    const { child } = childOf(t, (attempt) => {
      const program = new Program(attempt);
      program.stop = () =>
        new Promise((resolve) => {
          finish = () => {
            gone.now = true;
            resolve();
          };
        });
      return program;
    });
    await child.start();
    const stopped = child.stop().then(() => {
      assert.ok(gone.now);
    });
    await settled();
    finish();
    await stopped;
  });

  it('twice, or when it never ran, ends at once', async (t) => {
    const { child, programs } = childOf(t);
    await child.stop();
    await child.start();
    await child.stop();
    await child.stop();
    assert.equal(programs[0]?.stops, 1);
  });

  it('in the pause before a start ends at once, and starts nothing', async (t) => {
    t.mock.method(Math, 'random', () => 1);
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { child, programs, attempts, log } = childOf(t);
    await child.start();
    programs[0]?.end();
    await until('the first pause, of 0 ms', () => log.lines.length === 2);
    t.mock.timers.tick(1);
    await until('the second life', () => child.pid === 2);
    programs[1]?.end();
    await until('the pause', () => log.lines.at(-1)?.[1] === 'camera:gate is started again in 250 ms');
    await child.stop();
    t.mock.timers.tick(60_000);
    await settled();
    assert.equal(attempts.length, 2);
  });

  it('in the pause after a failed start ends at once, and starts nothing', async (t) => {
    t.mock.method(Math, 'random', () => 1);
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { child, attempts, log } = childOf(t, () => {
      throw new Error('no');
    });
    child.startWhenPossible();
    await until('the second try', () => attempts.length >= 1 && log.lines.length >= 2);
    await child.stop();
    const tried = attempts.length;
    t.mock.timers.tick(60_000);
    await settled();
    assert.equal(attempts.length, tried);
  });

  for (const way of ['start', 'startWhenPossible'] as const) {
    it(`during its start (${way}) waits for the start, then stops what came of it`, async (t) => {
      const program = new Program(1);
      let ready = (): void => undefined;
      const { child } = childOf(
        t,
        () =>
          new Promise<Program>((resolve) => {
            ready = () => {
              resolve(program);
            };
          }),
      );
      const started = startIn(way, child);
      await settled();
      const stopped = child.stop();
      await settled();
      assert.equal(program.stops, 0);
      ready();
      await Promise.all([started, stopped]);
      assert.equal(program.stops, 1);
      assert.equal(child.pid, undefined);
    });

    it(`during a start (${way}) that heeds the signal ends it, without a word in the log`, async (t) => {
      const { child, log, attempts } = childOf(
        t,
        (_, signal) =>
          new Promise<Program>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('aborted'));
            });
          }),
      );
      const started = way === 'start' ? assert.rejects(startIn(way, child), /aborted/) : startIn(way, child);
      await settled();
      await child.stop();
      await started;
      await settled();
      assert.deepEqual(log.lines, []);
      assert.equal(attempts.length, 1);
    });
  }

  it('that ends at the same moment starts it no more', async (t) => {
    const { child, programs, attempts } = childOf(t);
    await child.start();
    programs[0]?.end();
    await child.stop();
    await settled();
    assert.equal(attempts.length, 1);
  });

  it('before its start: it stays down', async (t) => {
    const { child, attempts } = childOf(t);
    await child.stop();
    child.startWhenPossible();
    await settled();
    assert.equal(attempts.length, 0);
  });
});
