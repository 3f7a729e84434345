/** One child: when it starts, and when it is started again. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { Fault } from '../../../src/fault/fault';
import { RestartBudget } from '../../../src/supervisor/restart-budget';
import { childOf, KILLED, mockTime, NORMAL, Program } from '../../../lab/child-bench';
import { settled, until } from '../../../lab/until';

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

  it('that ends is restarted every time, and reports it once', async (t) => {
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

  it('that ends is reported as waiting before it starts again', async (t) => {
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

  it('whose first start fails throws the reason, and is not tried again', async (t) => {
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

  it('that produced output for a minute has its crashes forgotten; one that only ran has not', async (t) => {
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

  it('leaves no listener behind from its earlier runs', async (t) => {
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
