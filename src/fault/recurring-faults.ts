/** The faults of several subjects that repeat, each on its own: a table says what is logged when one is over. */
import type { Log } from '../log/log';
import type { FaultRecord } from './fault';
import { RecurringFault } from './recurring';

export class RecurringFaults<Subject extends string> {
  readonly #faults = new Map<Subject, RecurringFault>();

  /** @param over the line logged when a subject's trouble is over; undefined if its end is not noticed */
  constructor(
    private readonly log: Log,
    private readonly over: Readonly<Record<Subject, string | undefined>>,
  ) {}

  report(subject: Subject, fault: FaultRecord): void {
    const recurring = this.#faults.get(subject) ?? new RecurringFault(this.log);
    this.#faults.set(subject, recurring);
    recurring.report(fault);
  }

  /** It works: logged once it has done so for a while, if there was any trouble. */
  clear(subject: Subject): void {
    const message = this.over[subject];
    if (message !== undefined) this.#faults.get(subject)?.clear(message);
  }
}
