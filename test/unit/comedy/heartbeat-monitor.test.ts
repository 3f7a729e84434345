/** What counts as silence: a process that we could not have heard is not blamed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeartbeatMonitor } from '../../../src/comedy/heartbeat-monitor';
import { settled } from '../../../lab/until';
import { HUNG, IDLE, kernelOf, monitored, PROGRESS } from '../../../lab/heartbeat-bench';

describe('a heartbeat monitor', () => {
  it('finds a process that is silent for longer than its limit, once', async (t) => {
    const { pass, faults } = monitored(t);
    await pass(2500);
    assert.deepEqual(faults, []);
    await pass(250);
    assert.deepEqual(faults, [HUNG]);
    await pass(10_000);
    assert.equal(faults.length, 1);
  });

  it('starts counting again with every heartbeat', async (t) => {
    const { pass, watch, faults } = monitored(t);
    for (let i = 0; i < 20; i++) {
      await pass(2500);
      watch.heard(PROGRESS);
    }
    assert.deepEqual(faults, []);
  });

  it('declares no process dead after a pause of its own: what was sent meanwhile is read only then', async (t) => {
    const { pass, sleep, watch, faults } = monitored(t);
    for (let i = 0; i < 5; i++) {
      await sleep(3_600_000);
      await pass(500);
      watch.heard(PROGRESS);
    }
    assert.deepEqual(faults, []);
  });

  it('still finds a hung process after a pause of its own', async (t) => {
    const { pass, sleep, faults } = monitored(t);
    await sleep(3_600_000);
    await pass(2250);
    assert.deepEqual(faults, [HUNG]);
  });

  it('reads a heartbeat that has arrived before it declares a process hung', async (t) => {
    const { pass, watch, faults } = monitored(t);
    await pass(2500);
    const passing = pass(250);
    watch.heard(PROGRESS);
    await passing;
    assert.deepEqual(faults, []);
  });

  it('counts all silent time if the kernel does not report activity', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = undefined;
    await pass(2750);
    assert.deepEqual(faults, [HUNG]);
  });

  it('asks the kernel once with each heartbeat, and at each look only about processes silent for a while', async (t) => {
    const { pass, watch, activity } = monitored(t);
    for (let i = 0; i < 60; i++) {
      await pass(1000);
      watch.heard(PROGRESS);
    }
    assert.equal(activity.asked, 61);
  });

  it('finds a process that is alive but does not finish what is due', async (t) => {
    const { pass, watch, faults } = monitored(t);
    const beat = async (done: number, dueMs?: number) => {
      watch.heard({ done, facts: {}, ...(dueMs === undefined ? {} : { dueMs }) });
      await pass(1000);
    };
    for (let done = 0; done < 10; done++) await beat(done, 5000);
    for (let i = 0; i < 20; i++) await beat(9);
    assert.deepEqual(faults, [], 'nothing was due');
    for (let i = 0; i < 5; i++) await beat(9, 5000);
    assert.deepEqual(faults, [], 'not for long enough');
    await beat(9, 5000);
    assert.deepEqual(faults, [{ code: 'stuck', message: 'is alive but completed nothing for 5000 ms' }]);
  });

  it('declares no process stuck after a pause of its own', async (t) => {
    const { pass, sleep, watch, faults } = monitored(t);
    for (let i = 0; i < 4; i++) {
      watch.heard({ done: 1, facts: {}, dueMs: 5000 });
      await pass(750);
      await sleep(3_600_000);
    }
    assert.deepEqual(faults, []);
  });

  it('watches each process separately', async (t) => {
    const clock = { now: 0 };
    const monitor = new HeartbeatMonitor(
      () => clock.now,
      kernelOf(() => IDLE),
    );
    t.after(() => monitor.close());
    const lost: number[] = [];
    const watches = [1, 2, 3].map((pid) => {
      const watch = monitor.watch(pid, { limitMs: 2500, fault: HUNG });
      void watch.failed.then(() => lost.push(pid));
      return watch;
    });
    for (let ms = 0; ms < 10_000; ms += 250) {
      clock.now += 250;
      watches[1]?.heard(PROGRESS);
      monitor.look();
    }
    await settled(5);
    assert.deepEqual(lost, [1, 3]);
  });

  it('looks on its own, and leaves no timer when it is closed', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const monitor = new HeartbeatMonitor();
    const { failed } = monitor.watch(2 ** 30, { limitMs: 1, fault: HUNG });
    assert.deepEqual(await failed, HUNG);
    monitor.close();
    assert.equal(timers(), before);
  });

  it('forgets a process that is not watched any more', async (t) => {
    const { pass, watch, faults } = monitored(t);
    watch.end();
    await pass(10_000);
    assert.deepEqual(faults, []);
  });
});
