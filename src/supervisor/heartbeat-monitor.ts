/**
 * Finds processes that live and do nothing: stopped, blocked, stuck in their start, or busy without getting on.
 * What counts against one is only time in which it could have run and we would have heard of it.
 */
import type { FaultRecord } from '../protocol/fault';
import type { Progress } from '../protocol/progress';
import { processActivity, type ProcessActivity } from './process-activity';

/** Milliseconds between two looks. */
const TICK_MS = 250;
/** A look that comes later than this was late because we did not run: suspended, stopped or busy ourselves. */
const LATE_MS = 2 * TICK_MS;
/** Silence from which on the kernel is asked what the process does: reading /proc for each at each look would cost. */
const SUSPECT_MS = 1250;

export interface Watch {
  /** Settles with what is wrong; never, if nothing is. */
  readonly failed: Promise<FaultRecord>;
  heard(progress: Progress): void;
  end(): void;
}

export interface WatchOptions {
  /** Milliseconds of silence that are too many. */
  readonly limitMs: number;
  /** Code and sentence (without its subject) of such a silence. */
  readonly fault: FaultRecord;
  /** Milliseconds of silence from which on waiting for a processor or a disk is not counted. */
  readonly suspectMs?: number;
}

interface Watched extends WatchOptions {
  readonly pid: number;
  readonly fail: (fault: FaultRecord) => void;
  silentMs: number;
  lastSeen: ProcessActivity | undefined;
  done: number;
  dueMs: number | undefined;
  /** Milliseconds since `done` rose last, or became due. */
  idleMs: number;
}

export class HeartbeatMonitor {
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly activityOf: (pid: number) => ProcessActivity | undefined = processActivity,
  ) {
    this.#lookedAt = now();
    this.#timer = setInterval(() => {
      this.look();
    }, TICK_MS);
  }

  watch(pid: number, options: WatchOptions): Watch {
    let fail: (fault: FaultRecord) => void = () => undefined;
    const failed = new Promise<FaultRecord>((resolve) => {
      fail = resolve;
    });
    const watched: Watched = {
      ...options,
      pid,
      fail,
      silentMs: 0,
      lastSeen: undefined,
      done: -1,
      dueMs: undefined,
      idleMs: 0,
    };
    this.#watched.add(watched);
    return {
      failed,
      heard: (progress) => {
        hear(watched, progress);
      },
      end: () => {
        this.#watched.delete(watched);
      },
    };
  }

  /** Called by the monitor's own timer. */
  look(): void {
    const now = this.now();
    const passedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    // What was sent while we did not run is read only after this look.
    const countedMs = passedMs > LATE_MS ? TICK_MS : passedMs;
    for (const watched of this.#watched) this.#lookAt(watched, countedMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  #lookAt(watched: Watched, passedMs: number): void {
    const ownMs = this.#ownTime(watched, passedMs);
    watched.silentMs += ownMs;
    watched.idleMs += ownMs;
    const fault = faultOf(watched);
    if (fault === undefined) return;
    this.#watched.delete(watched);
    watched.fail(fault);
  }

  /** The part of the time passed in which the process was neither kept from a processor nor waiting for a disk. */
  #ownTime(watched: Watched, passedMs: number): number {
    if (watched.silentMs < (watched.suspectMs ?? SUSPECT_MS)) return passedMs;
    const before = watched.lastSeen;
    const seen = this.activityOf(watched.pid);
    watched.lastSeen = seen;
    if (seen === undefined || before === undefined) return passedMs;
    if (seen.waitsForDisk) return 0;
    return Math.max(0, passedMs - (seen.waitedMs - before.waitedMs));
  }
}

function hear(watched: Watched, { done, dueMs }: Progress): void {
  watched.silentMs = 0;
  watched.lastSeen = undefined;
  const wasDue = watched.dueMs !== undefined && dueMs !== undefined;
  if (done !== watched.done || !wasDue) watched.idleMs = 0;
  watched.done = done;
  watched.dueMs = dueMs;
}

function faultOf({ silentMs, limitMs, fault, idleMs, dueMs }: Watched): FaultRecord | undefined {
  if (silentMs > limitMs) return fault;
  if (dueMs === undefined || idleMs <= dueMs) return undefined;
  return { code: 'stuck', message: `lives, but finished nothing for ${String(dueMs)} ms` };
}
