/** What counts as silence: only time in which a process could have run and we would have heard of it. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FaultRecord } from '../../src/protocol/fault';
import { HeartbeatMonitor } from '../../src/supervisor/heartbeat-monitor';
import { processActivity, type ProcessActivity } from '../../src/supervisor/process-activity';
import { spawnOwned, waitUntil, type OwnedProcess } from '../support/process';
import { settled } from './support/until';

const HUNG: FaultRecord = { code: 'hung', message: 'gave no sign of life' };
const IDLE: ProcessActivity = { waitedMs: 0, waitsForDisk: false };

function monitored(t: TestContext, limitMs = 2500) {
  const clock = { now: 0 };
  const activity: { is: ProcessActivity | undefined; asked: number } = { is: IDLE, asked: 0 };
  const monitor = new HeartbeatMonitor(
    () => clock.now,
    () => {
      activity.asked++;
      return activity.is;
    },
  );
  t.after(() => {
    monitor.close();
  });
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
    await pass(2500);
    assert.deepEqual(faults, [HUNG]);
  });

  it('does not count time a process waited for a processor', async (t) => {
    const { pass, activity, faults } = monitored(t);
    await pass(60_000, () => {
      activity.is = { waitedMs: (activity.is?.waitedMs ?? 0) + 250, waitsForDisk: false };
    });
    assert.deepEqual(faults, []);
    await pass(2500);
    assert.deepEqual(faults, [HUNG]);
  });

  it('does not count time a process waited for a disk', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = { waitedMs: 0, waitsForDisk: true };
    await pass(60_000);
    assert.deepEqual(faults, []);
  });

  it('counts all of it where the kernel does not tell', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = undefined;
    await pass(2750);
    assert.deepEqual(faults, [HUNG]);
  });

  it('asks the kernel only about those that have been silent for a while', async (t) => {
    const { pass, watch, activity } = monitored(t);
    for (let i = 0; i < 60; i++) {
      await pass(1000);
      watch.heard(PROGRESS);
    }
    assert.equal(activity.asked, 0);
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
    assert.deepEqual(faults, [{ code: 'stuck', message: 'lives, but finished nothing for 5000 ms' }]);
  });

  it('takes nobody for stuck that had no processor or no disk', async (t) => {
    const { pass, watch, activity, faults } = monitored(t);
    watch.heard({ done: 1, facts: {}, dueMs: 5000 });
    await pass(30_000, () => {
      activity.is = { waitedMs: (activity.is?.waitedMs ?? 0) + 250, waitsForDisk: false };
    });
    assert.deepEqual(faults, []);
    watch.heard({ done: 1, facts: {}, dueMs: 5000 });
    activity.is = { waitedMs: 0, waitsForDisk: true };
    await pass(30_000);
    assert.deepEqual(faults, []);
    for (let s = 0; s < 5 && faults.length === 0; s++) {
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

  // 1.5 s count in full, until two readings of the kernel's can be compared; then the share it ran.
  for (const [starved, detectedMs] of [
    [0, 2750],
    [125, 3750],
    [200, 6750],
  ] as const)
    it(`that finds a process which ran for ${String(250 - starved)} of 250 ms says so after ${String(detectedMs)} ms`, async (t) => {
      const { pass, activity, faults } = monitored(t);
      let ms = 0;
      for (; ms < 60_000 && faults.length === 0; ms += 250)
        await pass(250, () => {
          activity.is = { waitedMs: (activity.is?.waitedMs ?? 0) + starved, waitsForDisk: false };
        });
      assert.equal(ms, detectedMs);
    });

  it('looks from the beginning where it is told to: a start is often kept from a processor', async (t) => {
    const clock = { now: 0 };
    let waitedMs = 0;
    const monitor = new HeartbeatMonitor(
      () => clock.now,
      () => ({ waitedMs, waitsForDisk: false }),
    );
    t.after(() => {
      monitor.close();
    });
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
    for (let i = 0; i < 4; i++) await look();
    assert.deepEqual(found, HUNG);
  });

  it('watches each for itself', async (t) => {
    const clock = { now: 0 };
    const monitor = new HeartbeatMonitor(
      () => clock.now,
      () => IDLE,
    );
    t.after(() => {
      monitor.close();
    });
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

describe('what the kernel tells of a process', () => {
  it('grows by what it waits while others have the processor', async () => {
    // Pinned to one processor, each of four that spin gets a quarter of it.
    const spinning = await Promise.all(
      Array.from({ length: 4 }, () => spawnOwned('taskset', ['-c', '0', 'sh', '-c', 'while :; do :; done'])),
    );
    const waited = (pid: number) => processActivity(pid)?.waitedMs ?? 0;
    try {
      const [{ pid }] = spinning as [OwnedProcess];
      await waitUntil('it has waited', () => waited(pid) > 100, 10_000);
      process.kill(pid, 'SIGSTOP');
      const { pid: other } = spinning[1] ?? { pid: 0 };
      const [stopped, others] = [waited(pid), waited(other)];
      await waitUntil('the others have waited more', () => waited(other) > others + 100, 10_000);
      assert.ok(waited(pid) - stopped < 50, 'one that is stopped waits for nothing');
    } finally {
      for (const program of spinning) program.signal('SIGKILL');
      await Promise.all(spinning.map(({ exited }) => exited));
    }
  });

  it('is there for one that runs', () => {
    const seen = processActivity(process.pid);
    assert.ok(seen !== undefined && seen.waitedMs >= 0 && !seen.waitsForDisk);
  });

  it('is nothing for one that does not', () => {
    assert.equal(processActivity(2 ** 30), undefined);
  });
});
