/** Repeated faults are counted and reported now and then, never each time. */
import type { FaultRecord } from '../protocol/fault';
import type { Log } from './log';

/** A fault that lasts is repeated in the log this often. */
const REPEAT_MS = 60_000;

/** Says a fault when it is new, then once a minute with its count, and once when it is over. */
export class RecurringFault {
  #code: string | undefined;
  #saidAt = 0;
  #unsaid = 0;

  constructor(
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  report(fault: FaultRecord): void {
    this.#unsaid++;
    if (fault.code === this.#code && this.now() - this.#saidAt < REPEAT_MS) return;
    const repeats = fault.code === this.#code ? { times: this.#unsaid } : {};
    this.log.warn(fault.message, { code: fault.code, ...repeats });
    this.#code = fault.code;
    this.#saidAt = this.now();
    this.#unsaid = 0;
  }

  /** The trouble is over; `message` is said if there was any. */
  clear(message: string): void {
    if (this.#code !== undefined) this.log.info(message);
    this.#code = undefined;
  }
}
