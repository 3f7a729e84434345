/** What the kernel tells of a process, to tell one that hangs from one that is not let run. */
import { readFileSync } from 'node:fs';

export interface ProcessActivity {
  /** Milliseconds its main thread has been runnable and waited for a processor, since it began. */
  readonly waitedMs: number;
  /** It waits for a disk (proc(5), state D). */
  readonly waitsForDisk: boolean;
}

/** Undefined where the kernel does not tell, or the process has gone. */
export function processActivity(pid: number): ProcessActivity | undefined {
  try {
    // "time on the processor, time waiting for one, both in ns, number of time slices"
    const [, waitedNs] = readFileSync(`/proc/${String(pid)}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    return { waitedMs: (waitedNs ?? 0) / 1e6, waitsForDisk: state === 'D' };
  } catch {
    return undefined;
  }
}
