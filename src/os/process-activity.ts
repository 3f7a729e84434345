/** What the kernel reports about a process, to distinguish one that hangs from one that gets no processor time. */
import { readdirSync, readFileSync } from 'node:fs';
import { readStat } from './process-stat';

/** Times of its main thread, since it began. */
export interface ProcessTimes {
  /** Milliseconds on a processor. */
  readonly ranMs: number;
  /** Milliseconds runnable without one. The kernel adds a wait only when it is over: seconds at once on a busy machine. */
  readonly waitedMs: number;
}

/**
 * State of its main thread: `runnable` has a processor or waits for one (R in proc(5)); `held` waits for a disk (D), or for the
 * work of one of its own threads (garbage collection, say) that gets no processor.
 */
export type ProcessState = 'runnable' | 'held' | 'other';

export interface ProcessActivity extends ProcessTimes {
  readonly state: ProcessState;
}

export interface Kernel {
  /** Undefined if it is not reported, or the process has ended. */
  times(pid: number): ProcessTimes | undefined;
  activity(pid: number): ProcessActivity | undefined;
}

export const KERNEL: Kernel = { times: processTimes, activity: processActivity };

/** @param process a pid, or `PID/task/TID` for one of its threads */
function processTimes(process: number | string): ProcessTimes | undefined {
  try {
    // "time on the processor, time waiting for one, both in ns, number of time slices": 17 µs for a reading.
    const [ranNs = 0, waitedNs = 0] = readFileSync(`/proc/${process}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    return { ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6 };
  } catch {
    return undefined;
  }
}

function processActivity(pid: number): ProcessActivity | undefined {
  try {
    const state = stateOf(pid);
    // Read afterwards: a wait that ended in between is then counted, and not mistaken for an ongoing one.
    const times = processTimes(pid);
    return times && { ...times, state };
  } catch {
    return undefined;
  }
}

/** All its threads together: `runnable` if one of them has a processor or waits for one, else `other`. */
export function threadsActivity(pid: number): ProcessActivity | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `${pid}/task/${thread}`);
    const isRunnable = threads.some((thread) => readStat(thread)(STATE) === 'R');
    const times = threads.flatMap((thread) => processTimes(thread) ?? []);
    return {
      ranMs: times.reduce((sum, { ranMs }) => sum + ranMs, 0),
      waitedMs: times.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
      state: isRunnable ? 'runnable' : 'other',
    };
  } catch {
    return undefined;
  }
}

/** The number of the state in proc(5), stat. */
const STATE = 3;

function stateOf(pid: number): ProcessState {
  if (readStat(pid)(STATE) === 'R') return 'runnable';
  const isHeld = readdirSync(`/proc/${pid}/task`).some((thread) =>
    /[RD]/.test(readStat(`${pid}/task/${thread}`)(STATE)),
  );
  return isHeld ? 'held' : 'other';
}
