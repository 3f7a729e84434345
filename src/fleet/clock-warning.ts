/** Warns of nodes whose clocks are too far from this one's, once until the set of such nodes changes. */
import type { Log } from '../log/log';
import { skewText } from './sentences';

export class ClockWarning {
  #said = '';

  constructor(private readonly log: Pick<Log, 'info' | 'warn'>) {}

  /** @param far milliseconds by which the clock of each is ahead */
  look(far: ReadonlyMap<string, number>): void {
    const names = [...far.keys()].join();
    if (names === this.#said) return;
    this.#said = names;
    const fields = { code: 'fleet-clock' };
    if (far.size === 0) this.log.info("the other nodes' clocks agree with this one's again", fields);
    else this.log.warn(skewText(far), fields);
  }
}
