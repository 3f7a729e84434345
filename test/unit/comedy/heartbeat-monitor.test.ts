/** What counts as silence: only time in which a process could have run and we would have heard of it. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FaultRecord } from '../../../src/fault/fault';
import { HeartbeatMonitor } from '../../../src/comedy/heartbeat-monitor';
import type { Kernel, ProcessActivity } from '../../../src/os/process-activity';
import { settled } from '../../../lab/until';

const HUNG: FaultRecord = { code: 'hung', message: 'sent no heartbeat' };
const IDLE: ProcessActivity = { ranMs: 0, waitedMs: 0, state: 'other' };

function kernelOf(activity: () => ProcessActivity | undefined): Kernel {
  return { times: activity, activity };
}

function monitored(t: TestContext, limitMs = 2500) {
  const clock = { now: 0 };
  const activity: { is: ProcessActivity | undefined; asked: number } = { is: IDLE, asked: 0 };
  const monitor = new HeartbeatMonitor(
    () => clock.now,
    kernelOf(() => {
      activity.asked++;
      return activity.is;
    }),
  );
  t.after(() => monitor.close());
  const watch = monitor.watch(4711, { limitMs, fault: HUNG });
  const faults: FaultRecord[] = [];
  void watch.failed.then((fault) => faults.push(fault));
  return {
    watch,
    activity,
    faults,
    /** Time in which the supervisor looks every 250 ms, as it does when nothing keeps it. */
    pass: async (ms: number, onTick: () => void = () => undefined) => {
      for (let left = ms; left > 0; left -= 250) {
        clock.now += Math.min(250, left);
        onTick();
        monitor.look();
      }
      await settled(5);
    },
    /** Time in which the supervisor does not run. */
    sleep: async (ms: number) => {
      clock.now += ms;
      monitor.look();
      await settled(5);
    },
  };
}

const PROGRESS = { done: 0, facts: {} };

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

  it('counts anew from every heartbeat', async (t) => {
    const { pass, watch, faults } = monitored(t);
    for (let i = 0; i < 20; i++) {
      await pass(2500);
      watch.heard(PROGRESS);
    }
    assert.deepEqual(faults, []);
  });

  it('takes nobody for dead after it did not run itself: what was sent meanwhile is read only then', async (t) => {
    const { pass, sleep, watch, faults } = monitored(t);
    for (let i = 0; i < 5; i++) {
      await sleep(3_600_000);
      await pass(500);
      watch.heard(PROGRESS);
    }
    assert.deepEqual(faults, []);
  });

  it('still finds who hangs after it did not run itself', async (t) => {
    const { pass, sleep, faults } = monitored(t);
    await sleep(3_600_000);
    await pass(2250);
    assert.deepEqual(faults, [HUNG]);
  });

  it('does not count time a process waited for a processor', async (t) => {
    const { pass, activity, faults } = monitored(t);
    await pass(60_000, () => {
      activity.is = { ...IDLE, waitedMs: (activity.is?.waitedMs ?? 0) + 250 };
    });
    assert.deepEqual(faults, []);
    await pass(2750);
    assert.deepEqual(faults, [HUNG]);
  });

  for (const [what, waitMs] of [
    ['in lumps longer than the look they come in', 1000],
    ['in lumps longer than the limit', 20_000],
  ] as const)
    it(`does not count waiting for a processor that the kernel books ${what}`, async (t) => {
      const { pass, activity, faults } = monitored(t);
      let waitingMs = 0;
      let is = { ...IDLE };
      for (let ms = 0; ms < 60_000; ms += 250) {
        waitingMs += 250;
        const runs = waitingMs >= waitMs;
        // It has 5 ms of a processor when its turn comes, and waits again.
        if (runs) is = { ...is, ranMs: is.ranMs + 5, waitedMs: is.waitedMs + waitingMs - 5 };
        if (runs) waitingMs = 0;
        activity.is = { ...is, state: 'runnable' };
        await pass(250);
      }
      assert.deepEqual(faults, []);
      // Now it is stopped, as nothing but a SIGSTOP does.
      activity.is = { ...is, waitedMs: is.waitedMs + waitingMs, state: 'other' };
      await pass(3000);
      assert.deepEqual(faults, [HUNG]);
    });

  it('finds one that has all of a processor and never speaks', async (t) => {
    const { pass, activity, faults } = monitored(t);
    await pass(2750, () => {
      activity.is = { ...IDLE, ranMs: (activity.is?.ranMs ?? 0) + 250, state: 'runnable' };
    });
    assert.deepEqual(faults, [HUNG]);
  });

  it('reads a heartbeat that has arrived before it condemns', async (t) => {
    const { pass, watch, faults } = monitored(t);
    await pass(2500);
    const passing = pass(250);
    watch.heard(PROGRESS);
    await passing;
    assert.deepEqual(faults, []);
  });

  it('does not count time a process waited for a disk', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = { ...IDLE, waitedMs: activity.is?.waitedMs ?? 0, state: 'held' };
    await pass(60_000);
    assert.deepEqual(faults, []);
  });

  it('counts all of it where the kernel does not tell', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = undefined;
    await pass(2750);
    assert.deepEqual(faults, [HUNG]);
  });

  it('asks the kernel once with each heartbeat, and at each look only about those silent for a while', async (t) => {
    const { pass, watch, activity } = monitored(t);
    for (let i = 0; i < 60; i++) {
      await pass(1000);
      watch.heard(PROGRESS);
    }
    assert.equal(activity.asked, 61);
  });

  it('finds a process that lives and does not finish what is due', async (t) => {
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

  it('takes nobody for stuck that had no processor or no disk', async (t) => {
    const { pass, watch, activity, faults } = monitored(t);
    watch.heard({ done: 1, facts: {}, dueMs: 5000 });
    await pass(30_000, () => {
      activity.is = { ...IDLE, waitedMs: (activity.is?.waitedMs ?? 0) + 250 };
    });
    assert.deepEqual(faults, []);
    watch.heard({ done: 1, facts: {}, dueMs: 5000 });
    activity.is = { ...IDLE, waitedMs: activity.is?.waitedMs ?? 0, state: 'held' };
    await pass(30_000);
    assert.deepEqual(faults, []);
    activity.is = { ...IDLE, waitedMs: activity.is.waitedMs };
    for (let s = 0; s < 6 && faults.length === 0; s++) {
      watch.heard({ done: 1, facts: {}, dueMs: 5000 });
      await pass(1000);
    }
    const codes = faults.map(({ code }) => code);
    assert.deepEqual(codes, ['stuck'], 'what it did not finish in its own time still counts');
  });

  it('takes nobody for stuck after it did not run itself', async (t) => {
    const { pass, sleep, watch, faults } = monitored(t);
    for (let i = 0; i < 4; i++) {
      watch.heard({ done: 1, facts: {}, dueMs: 5000 });
      await pass(750);
      await sleep(3_600_000);
    }
    assert.deepEqual(faults, []);
  });

  // Waiting is not counted from the first moment on: only the share it ran is.
  for (const [starved, detectedMs] of [
    [0, 2750],
    [125, 5250],
    [200, 12_750],
  ] as const)
    it(`that finds a process which ran for ${250 - starved} of 250 ms says so after ${detectedMs} ms`, async (t) => {
      const { pass, activity, faults } = monitored(t);
      let ms = 0;
      for (; ms < 60_000 && faults.length === 0; ms += 250)
        await pass(250, () => {
          activity.is = { ...IDLE, waitedMs: (activity.is?.waitedMs ?? 0) + starved };
        });
      assert.equal(ms, detectedMs);
    });

  it('looks from the beginning where it is told to: a start is often kept from a processor', async (t) => {
    const clock = { now: 0 };
    let waitedMs = 0;
    const monitor = new HeartbeatMonitor(
      () => clock.now,
      kernelOf(() => ({ ...IDLE, waitedMs })),
    );
    t.after(() => monitor.close());
    const { failed } = monitor.watch(4711, { limitMs: 1000, fault: HUNG, suspectMs: 0 });
    let found: FaultRecord | undefined;
    void failed.then((fault) => (found = fault));
    const look = async () => {
      clock.now += 250;
      monitor.look();
      await settled(5);
    };
    for (let i = 0; i < 40; i++) {
      waitedMs += 250;
      await look();
    }
    assert.equal(found, undefined);
    for (let i = 0; i < 5; i++) await look();
    assert.deepEqual(found, HUNG);
  });

  it('watches each for itself', async (t) => {
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

  it('looks by itself, and leaves no timer when it is closed', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const monitor = new HeartbeatMonitor();
    const { failed } = monitor.watch(2 ** 30, { limitMs: 1, fault: HUNG });
    assert.deepEqual(await failed, HUNG);
    monitor.close();
    assert.equal(timers(), before);
  });

  it('forgets whoever is no longer watched', async (t) => {
    const { pass, watch, faults } = monitored(t);
    watch.end();
    await pass(10_000);
    assert.deepEqual(faults, []);
  });
});
