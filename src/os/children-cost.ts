/** Processor time of the programs this process runs, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds all running children have used so far; undefined if the kernel does not report it. */
export function childrenProcessorMs(): number | undefined {
  try {
    return childPids().reduce((sum, pid) => sum + processorMs(pid), 0);
  } catch {
    return undefined;
  }
}

/** Pids of the programs this process runs. @throws if the system has no /proc */
export function childPids(): number[] {
  const own = readdirSync('/proc/self/task');
  return own.flatMap((thread) => fields(`/proc/self/task/${thread}/children`)).map(Number);
}

/** Sums "time on the processor, ..." in ns over all threads: the ticks of /proc/PID/stat are too coarse (10 ms). */
function processorMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) => Number(fields(`/proc/${pid}/task/${thread}/schedstat`)[0]));
  return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

function fields(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean);
}
