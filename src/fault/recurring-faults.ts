/** Recurring faults of several subjects, each counted separately; a table contains the lines logged when one is over. */
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

  /** The subject works: logged once it has done so for a while, if there was any trouble. */
  clear(subject: Subject): void {
    const message = this.over[subject];
    if (message !== undefined) this.#faults.get(subject)?.clear(message);
  }
}
