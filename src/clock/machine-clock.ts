/**
 * This machine's clocks, read together: the wall clock, which may be set, and a steady one, which never is; detects whether the wall
 * clock was set in between. Clocks are passed in.
 */
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';

/**
 * When this version was made, milliseconds since the epoch: raised with every release. A machine whose clock is earlier
 * has a wrong one, such as a Raspberry Pi that began in 1970 and has not reached its time server yet.
 */
export const RELEASED_AT = Date.UTC(2026, 10, 1);

/** If two clocks diverge by more than this between two readings, the wall clock was set. Less may be a time server's correction. */
const SET_MS = 250;
/** The two clocks are read within this time, or again: a busy machine may interrupt the process between them. */
const TOGETHER_MS = 2;
const TRIES = 5;

export interface Moment {
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  /** Milliseconds of a monotonic clock that also counts while the machine sleeps. */
  readonly steadyMs: number;
  /** By how much the wall clock was set since the previous reading, forward (positive) or back; 0 if it was not. */
  readonly setMs: number;
}

export interface Clocks {
  readonly wallMs: () => number;
  /** Never set; it may stand still while the machine sleeps. */
  readonly monotonicMs: () => number;
  /** Never set, and continues while the machine sleeps; expensive to read. */
  readonly bootMs: () => number;
}

const OWN: Clocks = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  bootMs: () => uptime() * 1000,
};

export class MachineClock {
  /** Wall minus monotonic time at the last reading. */
  #offsetMs: number | undefined;
  /** Boot minus monotonic time at the last reading: it grows by the time the machine sleeps. */
  #bootOffsetMs: number;
  #sleptMs = 0;

  constructor(private readonly clocks: Clocks = OWN) {
    this.#bootOffsetMs = clocks.bootMs() - clocks.monotonicMs();
  }

  now(): Moment {
    const { wallMs, monotonicMs } = this.#read();
    const offsetMs = wallMs - monotonicMs;
    const parted = offsetMs - (this.#offsetMs ?? offsetMs);
    this.#offsetMs = offsetMs;
    const setMs = Math.abs(parted) > SET_MS ? Math.round(this.#withoutSleep(parted)) : 0;
    return { wallMs, steadyMs: monotonicMs + this.#sleptMs, setMs };
  }

  #read(): { wallMs: number; monotonicMs: number } {
    for (let left = TRIES; ; left--) {
      const before = this.clocks.monotonicMs();
      const wallMs = this.clocks.wallMs();
      const after = this.clocks.monotonicMs();
      if (after - before <= TOGETHER_MS || left === 0) return { wallMs, monotonicMs: before };
    }
  }

  /** The wall clock continues while the machine sleeps; that alone does not count as setting it. */
  #withoutSleep(partedMs: number): number {
    const bootOffsetMs = this.clocks.bootMs() - this.clocks.monotonicMs();
    const sleptMs = bootOffsetMs - this.#bootOffsetMs;
    if (sleptMs <= SET_MS) return partedMs;
    this.#bootOffsetMs = bootOffsetMs;
    this.#sleptMs += sleptMs;
    return Math.abs(partedMs - sleptMs) > SET_MS ? partedMs - sleptMs : 0;
  }
}

/** True when this machine's clock cannot be right: it is from before this version was made. */
export function isClockUnset(wallMs: number): boolean {
  return wallMs < RELEASED_AT;
}

/** The message for an operator in that case. */
export function clockUnsetMessage(wallMs: number): string {
  const [now, released] = [wallMs, RELEASED_AT].map((ms) => new Date(ms).toISOString().slice(0, 16) + 'Z');
  return `this machine's clock says ${String(now)}, before this version was made (${String(released)}), and is wrong: pictures are marked "clockUnset" until it is set; set it by NTP, or give the machine a battery-backed clock`;
}
