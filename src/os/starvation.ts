/** How long this process and the programs it runs waited for a processor, to distinguish their silence from that of others. */
import { childPids } from './children-cost';
import { OwnTime } from './own-time';
import { threadsActivity, type ProcessActivity } from './process-activity';

/** Milliseconds between two looks; if a look is later than two of them, the rest counts as waiting: this process did not run. */
export const LOOK_MS = 250;

interface Look {
  readonly atMs: number;
  /** Time all of them together waited since the previous look: at most the elapsed time; less than 0 corrects an earlier one. */
  readonly waitedMs: number;
}

export class Starvation {
  #looks: Look[] = [];
  /** By process, since the first look at it. */
  #own = new Map<number, OwnTime>();

  /**
   * @param processes this one and those it runs
   * @param activity of all threads of one of them
   */
  constructor(
    private readonly processes = ourProcesses,
    private readonly activity: (pid: number) => ProcessActivity | undefined = threadsActivity,
  ) {}

  /** Milliseconds waited since then, as covered by the looks. */
  since(ms: number): number {
    const behind = this.#looks.filter(({ atMs }) => atMs > ms);
    return Math.max(
      0,
      behind.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
    );
  }

  /**
   * To be called every {@link LOOK_MS} while something is awaited. False when the look before is too long ago to say
   * anything: input that came meanwhile is to be read before the next.
   * @param nowMs of a clock that is never set
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
      // This one asks, so it runs.
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
