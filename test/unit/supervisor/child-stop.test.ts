/** A child that is stopped, in whatever state: nothing of it is left behind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RestartBudget } from '../../../src/supervisor/restart-budget';
import { childOf, mockTime, Program } from '../../../lab/child-bench';
import { settled, until } from '../../../lab/until';

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

    it(`during a start (${way}) that obeys the signal ends it, without a line in the log`, async (t) => {
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
