/** Faults that repeat, or come and go, are counted and logged once a minute, never each time. */
import type { FaultRecord } from './fault';
import type { Log } from '../log/log';

/** A lasting or intermittent fault is repeated in the log at this interval. */
const REPEAT_MS = 60_000;
/** The trouble is over if nothing has failed for this time. */
const STEADY_MS = 10_000;
/** The same for a trouble that came back within {@link RELAPSE_MS} of its last end: it flaps. */
const STEADY_AGAIN_MS = 60_000;
const RELAPSE_MS = 300_000;

interface Trouble {
  /** Codes that were logged. */
  readonly said: Set<string>;
  /** When the last line was logged. */
  saidAt: number;
  /** Number of faults since then. */
  unsaid: number;
  /** Since when nothing has failed; undefined while something does. */
  wellSince: number | undefined;
}

/** Calls `act` after a while; returns a function that cancels it. */
export type Later = (ms: number, act: () => void) => () => void;

const later: Later = (ms, act) => {
  const timer = setTimeout(act, ms).unref();
  return () => clearTimeout(timer);
};

/**
 * Logs a trouble when it begins (each fault with another code once), once a minute with its count while it lasts, and once
 * when it is over: when nothing has failed for ten seconds, or for a minute if it is intermittent.
 */
export class RecurringFault {
  #trouble: Trouble | undefined;
  #endedAt = -Infinity;
  #steadyMs = STEADY_MS;
  #callOff: () => void = () => undefined;

  constructor(
    private readonly log: Log,
    private readonly now: () => number = Date.now,
    private readonly after: Later = later,
  ) {}

  report({ code, message }: FaultRecord): void {
    this.#callOff();
    const trouble = (this.#trouble ??= this.#begin());
    trouble.wellSince = undefined;
    const isNew = !trouble.said.has(code);
    if (!isNew) trouble.unsaid++;
    if (!isNew && this.now() - trouble.saidAt < REPEAT_MS) return;
    this.log.warn(message, { code, ...(trouble.unsaid === 0 ? {} : { times: trouble.unsaid }) });
    trouble.said.add(code);
    trouble.saidAt = this.now();
    trouble.unsaid = 0;
  }

  /** The subject works: `message` is logged once it has done so for a while, if there was any trouble. */
  clear(message: string): void {
    const trouble = this.#trouble;
    if (trouble === undefined) return;
    trouble.wellSince ??= this.now();
    const restMs = trouble.wellSince + this.#steadyMs - this.now();
    this.#callOff();
    if (restMs > 0) {
      this.#callOff = this.after(restMs, () => this.clear(message));
      return;
    }
    this.#trouble = undefined;
    this.#endedAt = this.now();
    this.log.info(message);
  }

  #begin(): Trouble {
    this.#steadyMs = this.now() - this.#endedAt < RELAPSE_MS ? STEADY_AGAIN_MS : STEADY_MS;
    return { said: new Set(), saidAt: this.now(), unsaid: 0, wellSince: undefined };
  }
}
