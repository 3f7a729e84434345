/** How long this process and the programs it runs waited for a processor, to distinguish their silence from that of others. */
import { childPids } from './children-cost';
import { OwnTime } from './own-time';
import { threadsActivity, type ProcessActivity } from './process-activity';

/** Milliseconds between two checks; if one comes later than twice that, the rest counts as waiting: this process did not run. */
export const LOOK_MS = 250;

interface Look {
  readonly atMs: number;
  /** Time all of them together waited since the previous check, at most the elapsed time; a negative value corrects an earlier one. */
  readonly waitedMs: number;
}

export class Starvation {
  #looks: Look[] = [];
  /** By process, since it was first checked. */
  #own = new Map<number, OwnTime>();

  /**
   * @param processes this one and those it runs
   * @param activity of all threads of one of them
   */
  constructor(
    private readonly processes = ourProcesses,
    private readonly activity: (pid: number) => ProcessActivity | undefined = threadsActivity,
  ) {}

  /** Milliseconds waited since `ms`, as far as checks cover it. */
  since(ms: number): number {
    const behind = this.#looks.filter(({ atMs }) => atMs > ms);
    return Math.max(
      0,
      behind.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
    );
  }

  /**
   * To be called every {@link LOOK_MS} while something is awaited. False if the previous call is too long ago
   * to be conclusive: input that arrived meanwhile must be read before the next call.
   * @param nowMs of a monotonic clock
   */
  look(nowMs: number): boolean {
    const before = this.#looks.at(-1);
    const passedMs = nowMs - (before?.atMs ?? nowMs);
    const isFresh = before !== undefined && passedMs <= 2 * LOOK_MS;
    const waitedMs = Math.min(passedMs, this.#waited(passedMs));
    const isLate = before !== undefined && !isFresh;
    this.#looks.push({ atMs: nowMs, waitedMs: isLate ? Math.max(waitedMs, passedMs - LOOK_MS) : waitedMs });
    return isFresh;
  }

  /** Nothing is awaited any more. */
  end(): void {
    this.#looks = [];
    this.#own.clear();
  }

  #waited(passedMs: number): number {
    const own = new Map<number, OwnTime>();
    let waitedMs = 0;
    for (const pid of this.processes()) {
      const seen = this.activity(pid);
      const time = this.#own.get(pid);
      own.set(pid, time ?? new OwnTime(seen));
      if (time === undefined) continue;
      const beforeMs = time.passedMs - time.ms;
      time.pass(passedMs);
      // This process makes the check, so it runs.
      time.see(seen && pid === process.pid ? { ...seen, state: 'other' } : seen, passedMs);
      waitedMs += time.passedMs - time.ms - beforeMs;
    }
    this.#own = own;
    return waitedMs;
  }
}

function ourProcesses(): number[] {
  try {
    return [process.pid, ...childPids()];
  } catch {
    // A thread of this process has just ended, or the system has no /proc.
    return [process.pid];
  }
}
