/** Counts deliveries by outcome. */
import type { FinalKind } from './attempt';

/** Deliveries by outcome. A failed frame that is redelivered and succeeds counts in both. */
export interface ConsumerCounters {
  readonly processed: number;
  /** Announced, but no longer in Redis. */
  readonly expired: number;
  /** Messages that are not frame announcements. */
  readonly invalid: number;
  /** The handler threw. */
  readonly failed: number;
  /** With `latestOnly`: skipped in favour of a newer frame of the same camera. */
  readonly overtaken?: number;
}

export class Counts {
  readonly #counts = { processed: 0, expired: 0, invalid: 0, failed: 0 };

  get counters(): ConsumerCounters {
    return { ...this.#counts };
  }

  add(kind: FinalKind): void {
    if (kind !== 'returned') this.#counts[kind === 'rejected' ? 'failed' : kind] += 1;
  }
}
