/** Time in which a process had no processor or no disk does not count as silence. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultRecord } from '../../../src/fault/fault';
import { HeartbeatMonitor } from '../../../src/comedy/heartbeat-monitor';
import { settled } from '../../../lab/until';
import { HUNG, IDLE, kernelOf, monitored } from '../../../lab/heartbeat-bench';

describe('a heartbeat monitor', () => {
  it('does not count the time a process waited for a processor', async (t) => {
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

  it('finds a process that has all of a processor and never reports', async (t) => {
    const { pass, activity, faults } = monitored(t);
    await pass(2750, () => {
      activity.is = { ...IDLE, ranMs: (activity.is?.ranMs ?? 0) + 250, state: 'runnable' };
    });
    assert.deepEqual(faults, [HUNG]);
  });

  it('does not count the time a process waited for a disk', async (t) => {
    const { pass, activity, faults } = monitored(t);
    activity.is = { ...IDLE, waitedMs: activity.is?.waitedMs ?? 0, state: 'held' };
    await pass(60_000);
    assert.deepEqual(faults, []);
  });

  it('declares no process stuck that had no processor or no disk', async (t) => {
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

  it('looks from the beginning if asked to: a starting process often waits for a processor', async (t) => {
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
});
