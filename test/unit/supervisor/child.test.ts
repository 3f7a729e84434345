/** One child: when it comes back, when it stays away, and that nothing of it is left behind. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { ChildSpec } from '../../../src/config/topology';
import { Fault, type FaultRecord } from '../../../src/fault/fault';
import { Child, type ChildEnd, type ChildState, type Incarnation } from '../../../src/supervisor/child';
import { RestartBudget } from '../../../src/supervisor/restart-budget';
import { keptLog } from '../../../lab/kept-log';
import { settled, until } from '../../../lab/until';

const SPEC: ChildSpec = {
  restart: 'permanent',
  maxRestarts: 1000,
  periodMs: 60_000,
  backOff: { firstMs: 250, capMs: 30_000 },
  startMs: 3000,
  shutdownMs: 2500,
};
const KILLED: ChildEnd = { normal: false, fault: { code: 'crashed', message: 'ended by SIGKILL' } };
const NORMAL: ChildEnd = { normal: true, fault: { code: 'crashed', message: 'ended with code 0' } };

/** A child program that ends when the test says so. */
class Program implements Incarnation {
  stops = 0;
  #end: (end: ChildEnd) => void = () => undefined;
  readonly ended = new Promise<ChildEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(readonly pid: number) {}

  end(end = KILLED): void {
    this.#end(end);
  }

  async stop(): Promise<void> {
    this.stops++;
    this.end(NORMAL);
  }
}

type Start = (attempt: number, signal: AbortSignal) => Promise<Program> | Program;

interface ChildBench {
  readonly spec?: Partial<ChildSpec>;
  readonly start?: Start;
  readonly budget?: RestartBudget;
}

function childOf(t: TestContext, { spec = {}, start = (n) => new Program(n), budget }: ChildBench = {}) {
  const log = keptLog();
  const programs: Program[] = [];
  const attempts: AbortSignal[] = [];
  const states: ChildState[] = [];
  const escalations: FaultRecord[] = [];
  const clock = { now: 0 };
  const child = new Child({
    name: 'camera:gate',
    log,
    spec: () => ({ ...SPEC, ...spec }),
    ...(budget === undefined ? {} : { budget }),
    start: async (signal) => {
      attempts.push(signal);
      const program = await start(attempts.length, signal);
      programs.push(program);
      return program;
    },
    onState: (state) => states.push(state),
    onEscalation: (fault) => escalations.push(fault),
    now: () => clock.now,
  });
  t.after(() => child.stop());
  const pid = () => ('pid' in child.state ? child.state.pid : undefined);
  return {
    child,
    log,
    programs,
    attempts,
    states,
    escalations,
    pid,
    running: (count: number) => until(`program ${count} runs`, () => pid() === count),
    /** Time passes for timers and for the child. */
    pass: async (ms: number) => {
      clock.now += ms;
      t.mock.timers.tick(ms);
      await settled(10);
    },
    /** The newest program ends, and the pause after that has begun. */
    endAndWait: async () => {
      programs.at(-1)?.end();
      await until('it waits', () => child.state.name === 'waiting');
    },
    said: () => log.lines.filter(([level]) => level !== 'debug').map(([level, text]) => `${level} ${text}`),
  };
}

const mockTime = (t: TestContext, random = 1) => {
  t.mock.method(Math, 'random', () => random);
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
};

describe('a child', () => {
  it('runs when start resolves, and has its pid', async (t) => {
    const { child, programs, states } = childOf(t);
    assert.equal(child.state.name, 'down');
    await child.start();
    assert.equal(child.name, 'camera:gate');
    assert.deepEqual(child.state, { name: 'running', pid: 1 });
    assert.deepEqual(
      states.map(({ name }) => name),
      ['starting', 'running'],
    );
    assert.equal(programs.length, 1);
    assert.equal(child.restarts, 0);
    assert.equal(child.lastFault, undefined);
  });

  it('that ends is started again, each time, and says so once', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, running, said } = childOf(t);
    await child.start();
    for (let count = 1; count <= 5; count++) {
      await running(count);
      programs.at(-1)?.end();
    }
    await running(6);
    assert.equal(child.restarts, 5);
    assert.deepEqual(said(), Array(5).fill('warn camera:gate: ended by SIGKILL; started again at once'));
    assert.ok(programs.every(({ stops }) => stops === 0));
  });

  it('that ends is told to wait before it starts again', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, states, running } = childOf(t);
    await child.start();
    programs[0]?.end();
    await running(2);
    assert.deepEqual(
      states.map(({ name }) => name),
      ['starting', 'running', 'waiting', 'starting', 'running'],
    );
    const { atMs, ...fault } = child.lastFault ?? { atMs: 0 };
    assert.deepEqual(fault, KILLED.fault);
    assert.ok(Math.abs(atMs - Date.now()) < 10_000);
  });

  it('whose first start fails throws why, and is not tried again', async (t) => {
    const { child, attempts, said } = childOf(t, {
      start: () => {
        throw new Fault('port-in-use', 'port 6379 is in use');
      },
    });
    await assert.rejects(child.start(), { code: 'port-in-use' });
    await settled();
    assert.equal(child.state.name, 'down');
    assert.equal(attempts.length, 1);
    assert.deepEqual(said(), []);
    await child.stop();
  });

  it('whose first start failed can still be started, and is then tried until it runs', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, running } = childOf(t, {
      start: (attempt) => {
        if (attempt < 3) throw new Error('not yet');
        return new Program(attempt);
      },
    });
    await assert.rejects(child.start(), /not yet/);
    await child.startOrRetry();
    await running(3);
  });

  it('may be tried until it runs instead, and each failure is logged', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, said, running } = childOf(t, {
      start: (attempt) => {
        if (attempt < 4) throw new Fault('actor-start', `try ${attempt} failed`);
        return new Program(attempt);
      },
    });
    await child.startOrRetry();
    await running(4);
    assert.deepEqual(said(), [
      'warn camera:gate: try 1 failed; started again at once',
      'warn camera:gate: try 2 failed; started again at once',
      'warn camera:gate: try 3 failed; started again at once',
    ]);
  });

  it('that ran and then fails to start is tried again too', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, running } = childOf(t, {
      start: (attempt) => {
        if (attempt === 2 || attempt === 3) throw new Error('no memory');
        return new Program(attempt);
      },
    });
    await child.start();
    programs[0]?.end();
    await running(4);
  });

  it('is started again at once, then after pauses that double', async (t) => {
    mockTime(t);
    const { child, programs, attempts, running, said, pass } = childOf(t);
    await child.start();
    const pauses = [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [i, pauseMs] of pauses.entries()) {
      programs[i]?.end();
      await until('said', () => said().length === i + 1);
      const when = pauseMs === 0 ? 'at once' : `in ${pauseMs} ms`;
      assert.equal(said().at(-1), `warn camera:gate: ended by SIGKILL; started again ${when}`);
      await pass(Math.max(0, pauseMs - 1));
      if (pauseMs > 0) assert.equal(attempts.length, i + 1, 'not before its time');
      await pass(1);
      await running(i + 2);
    }
  });

  it('that put out for a minute has its crashes forgotten; one that only ran has not', async (t) => {
    mockTime(t);
    const { child, programs, running, said, pass } = childOf(t);
    await child.start();
    const endAndSay = async (): Promise<string | undefined> => {
      const [before, lives] = [said().length, programs.length + 1];
      programs.at(-1)?.end();
      await until('said', () => said().length === before + 1);
      await pass(30_000);
      await running(lives);
      return said().at(-1)?.split('again ')[1];
    };
    assert.equal(await endAndSay(), 'at once');
    assert.equal(await endAndSay(), 'in 250 ms');
    await pass(600_000);
    assert.equal(await endAndSay(), 'in 500 ms');
    for (let s = 0; s < 60; s += 20) {
      child.worked();
      await pass(19_999);
    }
    child.worked();
    assert.equal(await endAndSay(), 'in 1000 ms', '59.997 s are not enough');
    for (let s = 0; s < 60; s += 20) {
      child.worked();
      await pass(20_000);
    }
    child.worked();
    assert.equal(await endAndSay(), 'at once');
    assert.equal(await endAndSay(), 'in 250 ms');
  });

  for (const [restart, end, ends] of [
    ['transient', NORMAL, true],
    ['transient', KILLED, false],
    ['temporary', NORMAL, true],
    ['temporary', KILLED, true],
    ['permanent', NORMAL, false],
  ] as const)
    it(`that is ${restart} and ended ${end.normal ? 'normally' : 'by a crash'} ${ends ? 'stays ended' : 'comes back'}`, async (t) => {
      const { child, programs, running, attempts } = childOf(t, { spec: { restart } });
      await child.start();
      programs[0]?.end(end);
      if (!ends) return running(2);
      await until('it has ended', () => child.state.name === 'ended');
      await settled();
      assert.equal(attempts.length, 1);
    });

  it('waits for its turn in the host’s budget', async (t) => {
    mockTime(t, 0);
    const budget = new RestartBudget(1, () => Date.now());
    const { child, endAndWait, attempts, running, pass } = childOf(t, { budget });
    await child.start();
    await endAndWait();
    await pass(1);
    await running(2);
    await endAndWait();
    await pass(59_998);
    assert.equal(attempts.length, 2);
    await pass(2);
    await running(3);
  });

  it('leaves no listener behind from its earlier lives', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const { child, programs, attempts, running } = childOf(t, { budget: new RestartBudget(1000) });
    await child.start();
    for (let count = 1; count <= 9; count++) {
      await running(count);
      programs.at(-1)?.end();
    }
    await running(10);
    const [signal] = attempts;
    assert.ok(signal !== undefined);
    const listeners = getEventListeners(signal, 'abort').length;
    assert.ok(listeners <= 2, `${listeners} listeners`);
  });
});

describe('a child beyond its intensity', () => {
  it('escalates where it has no probe, and is started no more', async (t) => {
    const { child, programs, attempts, escalations } = childOf(t, { spec: { maxRestarts: 0 } });
    await child.start();
    programs[0]?.end();
    await until('it escalates', () => escalations.length === 1);
    assert.deepEqual(escalations, [
      {
        code: 'escalated',
        message: 'camera:gate: more than 0 restarts in 60000 ms, at last: ended by SIGKILL',
      },
    ]);
    await settled();
    assert.equal(attempts.length, 1);
    assert.equal(child.state.name, 'ended');
  });

  it('is quarantined where it has one: tried at that distance for ever, never escalated', async (t) => {
    mockTime(t);
    const { child, programs, escalations, attempts, running, pass } = childOf(t, {
      spec: { maxRestarts: 0, probeMs: 180_000 },
    });
    await child.start();
    programs[0]?.end();
    for (let probe = 2; probe < 20; probe++) {
      await until('it is quarantined', () => child.state.name === 'quarantined' && !('pid' in child.state));
      await pass(179_999);
      assert.equal(attempts.length, probe - 1);
      await pass(1);
      await running(probe);
      assert.equal(child.state.name, 'quarantined', 'a try alone releases nobody');
      programs.at(-1)?.end();
    }
    assert.deepEqual(escalations, []);
  });

  it('is released by ten seconds of output, and has its history forgotten', async (t) => {
    mockTime(t);
    const { child, programs, endAndWait, running, pass, said } = childOf(t, {
      spec: { maxRestarts: 1, probeMs: 1000 },
    });
    await child.start();
    await endAndWait();
    await pass(1);
    await running(2);
    programs[1]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    await pass(1000);
    await running(3);
    for (let s = 0; s < 10; s++) {
      child.worked();
      assert.equal(child.state.name, 'quarantined', `${s} s`);
      await pass(1000);
    }
    child.worked();
    assert.deepEqual(child.state, { name: 'running', pid: 3 });
    assert.equal(said().at(-1), 'info camera:gate works again and leaves quarantine');
    await endAndWait();
    await pass(1);
    await running(4);
    assert.equal(child.state.name, 'running');
  });

  it('is not released by what its last life said late: nothing of it runs', async (t) => {
    mockTime(t);
    const { child, programs, running, pass, pid } = childOf(t, {
      spec: { maxRestarts: 0, probeMs: 180_000 },
    });
    await child.start();
    for (let s = 0; s < 20; s++) {
      child.worked();
      await pass(1000);
    }
    programs[0]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    child.worked();
    assert.deepEqual([child.state.name, pid()], ['quarantined', undefined]);
    await pass(180_000);
    await running(2);
  });

  it('that ends normally ends for good where it is transient, in quarantine too', async (t) => {
    mockTime(t);
    const { child, programs, running, pass, attempts } = childOf(t, {
      spec: { restart: 'transient', maxRestarts: 0, probeMs: 1000 },
    });
    await child.start();
    programs[0]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    await pass(1000);
    await running(2);
    programs[1]?.end(NORMAL);
    await until('it has ended', () => child.state.name === 'ended');
    await pass(10_000);
    assert.equal(attempts.length, 2);
  });

  it('has been in quarantine since it came there, however often it is tried', async (t) => {
    mockTime(t);
    const { child, programs, running, pass, states } = childOf(t, {
      spec: { maxRestarts: 0, probeMs: 1000 },
    });
    await child.start();
    await pass(5000);
    programs[0]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    const { sinceMs } = child;
    assert.equal(sinceMs, Date.now());
    for (let probe = 2; probe < 5; probe++) {
      await pass(1000);
      await running(probe);
      programs.at(-1)?.end();
      await until('it waits for its next try', () => !('pid' in child.state));
    }
    assert.equal(child.sinceMs, sinceMs);
    assert.deepEqual(new Set(states.slice(2).map(({ name }) => name)), new Set(['quarantined']));
  });

  it('begins its ten seconds anew with every try', async (t) => {
    mockTime(t);
    const { child, programs, running, pass } = childOf(t, { spec: { maxRestarts: 0, probeMs: 1000 } });
    await child.start();
    programs[0]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    for (let probe = 2; probe < 6; probe++) {
      await pass(1000);
      await running(probe);
      for (let s = 0; s < 9; s++) {
        child.worked();
        await pass(1000);
      }
      programs.at(-1)?.end();
      await until('it waits for its next try', () => !('pid' in child.state));
    }
    assert.equal(child.state.name, 'quarantined');
  });
});

describe('stopping a child', () => {
  it('that runs stops it once, and starts it no more', async (t) => {
    const { child, programs, attempts, said } = childOf(t);
    await child.start();
    await child.stop();
    await settled();
    assert.equal(programs[0]?.stops, 1);
    assert.equal(attempts.length, 1);
    assert.equal(child.state.name, 'stopped');
    assert.deepEqual(said(), []);
  });

  it('waits until it has gone', async (t) => {
    const gone = { now: false };
    let finish = (): void => undefined;
    const { child } = childOf(t, {
      start: (attempt) => {
        const program = new Program(attempt);
        program.stop = () =>
          new Promise((resolve) => {
            finish = () => {
              gone.now = true;
              resolve();
            };
          });
        return program;
      },
    });
    await child.start();
    const stopped = child.stop().then(() => assert.ok(gone.now));
    await settled();
    finish();
    await stopped;
  });

  it('twice, or when it never ran, ends at once; what is stopped cannot be started', async (t) => {
    const { child, programs } = childOf(t);
    await child.stop();
    await assert.rejects(child.start(), { code: 'stopped' });
    await child.startOrRetry();
    await child.stop();
    assert.deepEqual(programs, []);
  });

  for (const [where, spec] of [
    ['in the pause of its back-off', {}],
    ['in quarantine', { maxRestarts: 0, probeMs: 60_000 }],
  ] as const)
    it(`${where} ends at once, and starts nothing`, async (t) => {
      mockTime(t);
      const { child, programs, attempts, pass } = childOf(t, { spec });
      await child.start();
      for (let life = 0; attempts.length === life + 1 && life < 2; life++) {
        programs[life]?.end();
        await pass(1);
      }
      const tried = attempts.length;
      await child.stop();
      await pass(600_000);
      assert.equal(attempts.length, tried);
      assert.equal(child.state.name, 'stopped');
    });

  it('whose try in quarantine runs stops that try, once', async (t) => {
    mockTime(t);
    const { child, programs, running, pass } = childOf(t, { spec: { maxRestarts: 0, probeMs: 1000 } });
    await child.start();
    programs[0]?.end();
    await until('it is quarantined', () => child.state.name === 'quarantined');
    await pass(1000);
    await running(2);
    await child.stop();
    assert.deepEqual([programs[1]?.stops, child.state.name], [1, 'stopped']);
  });

  for (const [how, spec] of [
    ['that has ended for good', { restart: 'temporary' }],
    ['that has escalated', { maxRestarts: 0 }],
  ] as const)
    it(`${how} only says so`, async (t) => {
      const { child, programs, attempts } = childOf(t, { spec });
      await child.start();
      programs[0]?.end();
      await until('it has ended', () => child.state.name === 'ended');
      await child.stop();
      assert.deepEqual([child.state.name, programs[0]?.stops, attempts.length], ['stopped', 0, 1]);
    });

  it('while it is started again waits for that start, then stops what came of it', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    let ready = (): void => undefined;
    const second = new Program(2);
    const { child, programs, attempts } = childOf(t, {
      start: (attempt) =>
        attempt === 1
          ? new Program(1)
          : new Promise<Program>((resolve) => {
              ready = () => resolve(second);
            }),
    });
    await child.start();
    programs[0]?.end();
    await until('it is started again', () => attempts.length === 2);
    assert.equal(child.state.name, 'starting');
    const stopped = child.stop();
    await settled();
    assert.equal(second.stops, 0);
    ready();
    await stopped;
    assert.deepEqual([second.stops, child.state.name, attempts.length], [1, 'stopped', 2]);
  });

  it('whose stop fails ends all the same', async (t) => {
    const { child } = childOf(t, {
      start: (attempt) => {
        const program = new Program(attempt);
        program.stop = () => Promise.reject(new Error('no such process'));
        return program;
      },
    });
    await child.start();
    await child.stop();
    assert.equal(child.state.name, 'stopped');
  });

  it('leaves no timer, in whatever pause it was', async (t) => {
    t.mock.method(Math, 'random', () => 1);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const budget = new RestartBudget(1);
    await budget.take(1, new AbortController().signal);
    const benches = [
      childOf(t, { spec: { backOff: { firstMs: 60_000, capMs: 60_000 } } }),
      childOf(t, { spec: { maxRestarts: 0, probeMs: 60_000 } }),
      childOf(t, { budget }),
    ];
    for (const { child, programs } of benches) {
      await child.start();
      for (let life = 0; life < 2; life++) {
        programs.at(-1)?.end();
        await until(
          'it waits, or lives again',
          () => !('pid' in child.state) || programs.length === life + 2,
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    assert.deepEqual(
      benches.map(({ child }) => child.state.name),
      ['waiting', 'quarantined', 'waiting'],
    );
    assert.equal(timers(), before + 3);
    await Promise.all(benches.map(({ child }) => child.stop()));
    await until('all timers have gone', () => timers() === before);
  });

  it('that waits for a token of the budget ends at once, and takes none', async (t) => {
    mockTime(t, 0);
    const budget = new RestartBudget(1, () => Date.now());
    const { child, endAndWait, running, pass } = childOf(t, { budget });
    await child.start();
    await endAndWait();
    await pass(1);
    await running(2);
    await endAndWait();
    await pass(1);
    await until('it waits', () => budget.waiting === 1);
    await child.stop();
    assert.equal(budget.waiting, 0);
  });

  for (const way of ['start', 'startOrRetry'] as const) {
    it(`during its start (${way}) waits for the start, then stops what came of it`, async (t) => {
      const program = new Program(1);
      let ready = (): void => undefined;
      const { child } = childOf(t, {
        start: () =>
          new Promise<Program>((resolve) => {
            ready = () => resolve(program);
          }),
      });
      const started = child[way]();
      await settled();
      const stopped = child.stop();
      await settled();
      assert.equal(program.stops, 0);
      ready();
      await Promise.all([started, stopped]);
      assert.equal(program.stops, 1);
      assert.equal(child.state.name, 'stopped');
    });

    it(`during a start (${way}) that heeds the signal ends it, without a word in the log`, async (t) => {
      const { child, said, attempts } = childOf(t, {
        start: (_, signal) =>
          new Promise<Program>((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('aborted'))),
          ),
      });
      const started = way === 'start' ? assert.rejects(child.start(), /aborted/) : child.startOrRetry();
      await settled();
      await child.stop();
      await started;
      await settled();
      assert.deepEqual(said(), []);
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
});
