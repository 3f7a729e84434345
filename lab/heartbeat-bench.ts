/** A heartbeat monitor of one process, on a clock and a kernel of the test. */
import { type TestContext } from 'node:test';
import type { FaultRecord } from '../src/fault/fault';
import { HeartbeatMonitor } from '../src/comedy/heartbeat-monitor';
import type { Kernel, ProcessActivity } from '../src/os/process-activity';
import { settled } from './until';

export const HUNG: FaultRecord = { code: 'hung', message: 'sent no heartbeat' };
export const IDLE: ProcessActivity = { ranMs: 0, waitedMs: 0, state: 'other' };

export function kernelOf(activity: () => ProcessActivity | undefined): Kernel {
  return { times: activity, activity };
}

/** A monitor of one process, on a clock and a kernel of the test. */
export function monitored(t: TestContext, limitMs = 2500) {
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

export const PROGRESS = { done: 0, facts: {} };
