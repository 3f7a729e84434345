/** Repeated faults are counted and reported now and then, never each time. */
import type { FaultRecord } from '../protocol/fault';
import type { Log } from './log';

/** A fault that lasts is repeated in the log this often. */
const REPEAT_MS = 60_000;

interface Tally {
  saidAt: number;
  unsaid: number;
}

/** Says a fault when it is new, then once a minute with its count, and once when all is over. */
export class RecurringFault {
  /** By code: two faults may take turns. */
  readonly #tallies = new Map<string, Tally>();

  constructor(
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  report({ code, message }: FaultRecord): void {
    const tally = this.#tallies.get(code);
    if (tally === undefined) {
      this.#tallies.set(code, { saidAt: this.now(), unsaid: 0 });
      this.log.warn(message, { code });
      return;
    }
    tally.unsaid++;
    if (this.now() - tally.saidAt < REPEAT_MS) return;
    this.log.warn(message, { code, times: tally.unsaid });
    tally.saidAt = this.now();
    tally.unsaid = 0;
  }

  /** The trouble is over; `message` is said if there was any. */
  clear(message: string): void {
    if (this.#tallies.size > 0) this.log.info(message);
    this.#tallies.clear();
  }
}
