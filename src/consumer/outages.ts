/** Causes that keep frames from flowing: each is reported once, until frames flow again. */
import type { ConsumerFault } from './fault';
import type { FaultReporter } from './fault-reporter';

export class Outages {
  readonly #told = new Set<string>();
  #isFlowing = false;

  constructor(
    private readonly faults: FaultReporter,
    private readonly onFlowing: () => void,
  ) {}

  /** @param kind what makes two faults the same cause; texts differ from frame to frame */
  report(fault: Omit<ConsumerFault, 'count'>, kind: string = fault.code): void {
    this.#isFlowing = false;
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.faults.add(fault);
  }

  over(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#told.clear();
    this.onFlowing();
  }
}
