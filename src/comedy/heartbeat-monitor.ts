/**
 * Detects processes that are alive but do nothing: stopped, blocked, stuck in their start, or busy without
 * progress. Only time in which a process could have run, and in which its heartbeat would have been read,
 * counts as silence.
 */
import type { FaultRecord } from '../fault/fault';
import type { Progress } from '../protocol/progress';
import { OwnTime } from '../os/own-time';
import { KERNEL, type Kernel } from '../os/process-activity';

/** Milliseconds between two checks. */
const TICK_MS = 250;
/** A check that comes later than this counts as this: the daemon itself was suspended, stopped or starved. */
const LATE_MS = 2 * TICK_MS;
/** Silence after which every check asks the kernel what the process does; before, only each heartbeat does. */
const SUSPECT_MS = 1250;

export interface Watch {
  /** Settles with the fault, or never. */
  readonly failed: Promise<FaultRecord>;
  heard(progress: Progress): void;
  end(): void;
}

export interface WatchOptions {
  /** Milliseconds of silence after which the process counts as failed. */
  readonly limitMs: number;
  /** Code and sentence (without its subject) of such a silence. */
  readonly fault: FaultRecord;
  /** Milliseconds of silence after which every check asks the kernel what the process does. */
  readonly suspectMs?: number;
}

interface Watched extends WatchOptions {
  readonly pid: number;
  readonly fail: (fault: FaultRecord) => void;
  silence: OwnTime;
  done: number;
  dueMs: number | undefined;
  /** Milliseconds in which it could run, up to the last heartbeat, since `done` last rose or became due. */
  idleMs: number;
}

export class HeartbeatMonitor {
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly kernel: Kernel = KERNEL,
  ) {
    this.#lookedAt = now();
    this.#timer = setInterval(() => this.look(), TICK_MS);
  }

  watch(pid: number, options: WatchOptions): Watch {
    let fail: (fault: FaultRecord) => void = () => undefined;
    const failed = new Promise<FaultRecord>((resolve) => {
      fail = resolve;
    });
    const silence = new OwnTime(this.kernel.times(pid));
    const watched: Watched = { ...options, pid, fail, silence, done: -1, dueMs: undefined, idleMs: 0 };
    this.#watched.add(watched);
    return {
      failed,
      heard: (progress) => this.#hear(watched, progress),
      end: () => {
        this.#watched.delete(watched);
      },
    };
  }

  /** Called by the monitor's own timer. */
  look(): void {
    const now = this.now();
    const countedMs = Math.min(now - this.#lookedAt, LATE_MS);
    this.#lookedAt = now;
    for (const watched of this.#watched) this.#lookAt(watched, countedMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  #lookAt(watched: Watched, passedMs: number): void {
    const { silence, pid, suspectMs = SUSPECT_MS } = watched;
    silence.pass(passedMs);
    // The kernel is asked about a process before it is declared at fault.
    if (silence.passedMs < suspectMs && faultOf(watched) === undefined) return;
    silence.see(this.kernel.activity(pid), passedMs);
    if (faultOf(watched) === undefined) return;
    // Heartbeats that arrived while the daemon did not run are read in this turn of the event loop.
    setImmediate(() => this.#condemn(watched));
  }

  #condemn(watched: Watched): void {
    const fault = faultOf(watched);
    if (fault !== undefined && this.#watched.delete(watched)) watched.fail(fault);
  }

  #hear(watched: Watched, { done, dueMs }: Progress): void {
    const { silence, pid } = watched;
    const times = this.kernel.times(pid);
    // The process has sent a message: the kernel has booked all its waits.
    silence.see(times && { ...times, state: 'other' }, 0);
    const wasDue = watched.dueMs !== undefined && dueMs !== undefined;
    watched.idleMs = done !== watched.done || !wasDue ? 0 : watched.idleMs + silence.ms;
    watched.silence = new OwnTime(times);
    watched.done = done;
    watched.dueMs = dueMs;
  }
}

function faultOf({ silence, limitMs, fault, idleMs, dueMs }: Watched): FaultRecord | undefined {
  if (silence.ms > limitMs) return fault;
  if (dueMs === undefined || idleMs + silence.ms <= dueMs) return undefined;
  return { code: 'stuck', message: `is alive but completed nothing for ${dueMs} ms` };
}
