/** Passes faults on at most once a second for each code, however many there are. */
import type { ConsumerFault, FaultCode } from './fault';

const REPORT_EVERY_MS = 1000;

interface Tally {
  reportedAtMs: number;
  unreported: number;
  latest: Omit<ConsumerFault, 'count'>;
}

export class FaultReporter {
  readonly #tallies = new Map<FaultCode, Tally>();

  /** `nowMs` is a monotonic clock. */
  constructor(
    private readonly report: (fault: ConsumerFault) => void,
    private readonly nowMs: () => number,
  ) {}

  /** Reports the fault, or counts it into the next report of its code. */
  add(fault: Omit<ConsumerFault, 'count'>): void {
    const tally = this.#tallies.get(fault.code) ?? { reportedAtMs: -Infinity, unreported: 0, latest: fault };
    tally.latest = fault;
    tally.unreported += 1;
    this.#tallies.set(fault.code, tally);
    if (this.nowMs() - tally.reportedAtMs >= REPORT_EVERY_MS) this.#hand(tally);
  }

  /** Reports the faults that were counted but not reported yet. */
  flush(): void {
    for (const tally of this.#tallies.values()) if (tally.unreported > 0) this.#hand(tally);
  }

  #hand(tally: Tally): void {
    const fault = { ...tally.latest, count: tally.unreported };
    tally.reportedAtMs = this.nowMs();
    tally.unreported = 0;
    try {
      this.report(fault);
    } catch (error) {
      // The error is the application's own: it must not be treated as a fault of the current frame.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
