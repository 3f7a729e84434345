/** A child beyond its intensity: quarantined, released, or escalated. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childOf, mockTime, NORMAL } from '../../../lab/child-bench';
import { settled, until } from '../../../lab/until';

describe('a child beyond its intensity', () => {
  it('escalates if it has no probe, and is not started again', async (t) => {
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

  it('is quarantined if it has one: retried at that interval forever, never escalated', async (t) => {
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

  it('is released by ten seconds of output, which clear its history', async (t) => {
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

  it('is not released by late output of its last process: nothing of it runs', async (t) => {
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

  it('that ends normally ends for good if it is transient, in quarantine too', async (t) => {
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

  it('has been in quarantine since its first quarantine, however often it is tried', async (t) => {
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

  it('starts its ten seconds again with every try', async (t) => {
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
