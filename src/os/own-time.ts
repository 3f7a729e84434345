/** How much of a silence was a process's own: time in which it could have run. Pure. */
import type { ProcessActivity, ProcessTimes } from './process-activity';

export class OwnTime {
  #passedMs = 0;
  #last: ProcessTimes | undefined;
  /** Waits that have been booked since the beginning. */
  #bookedMs = 0;
  /** The part of an ongoing wait that the kernel has not booked yet. */
  #pendingMs = 0;
  #heldMs = 0;

  /** @param times at the beginning; undefined if the kernel does not report them: then all time counts as its own */
  constructor(times?: ProcessTimes) {
    this.#last = times;
  }

  /** Milliseconds that have passed since the beginning. */
  get passedMs(): number {
    return this.#passedMs;
  }

  get ms(): number {
    return Math.max(0, this.#passedMs - this.#bookedMs - this.#pendingMs - this.#heldMs);
  }

  pass(ms: number): void {
    this.#passedMs += ms;
  }

  /** @param lookMs the part of the passed time that the observed state represents */
  see(seen: ProcessActivity | undefined, lookMs: number): void {
    const before = this.#last;
    if (seen === undefined || before === undefined) return;
    const [ranMs, bookedMs] = [seen.ranMs - before.ranMs, seen.waitedMs - before.waitedMs];
    this.#last = seen;
    this.#bookedMs += bookedMs;
    // The kernel books a whole wait when it is over, including the part that was pending before.
    const pendingMs = Math.max(0, this.#pendingMs - bookedMs);
    this.#pendingMs = seen.state === 'runnable' ? pendingMs + unbooked(lookMs, ranMs + bookedMs) : 0;
    if (seen.state === 'held') this.#heldMs += unbooked(lookMs, ranMs + bookedMs);
  }
}

function unbooked(lookMs: number, toldMs: number): number {
  return Math.max(0, lookMs - toldMs);
}
