/** Queues without consumers: reported once after a while, and once when a consumer is back. */
import type { Log } from '../../log/log';

/** A service that restarts, or starts with the daemon, has its consumers by this time. */
const PATIENCE_MS = 9000;

export interface ConsumedQueue {
  readonly queue: string;
  readonly consumers: number;
  /** The message for a queue without consumers. */
  readonly message: string;
}

export class IdleServices {
  readonly #idle = new Map<string, { readonly sinceMs: number; isSaid: boolean }>();

  /** @param now milliseconds, a clock that is never set */
  constructor(
    private readonly log: Pick<Log, 'warn' | 'info'>,
    private readonly now: () => number,
  ) {}

  /** Queues that are not in the list are forgotten. */
  look(queues: readonly ConsumedQueue[]): void {
    const named = new Set(queues.map(({ queue }) => queue));
    for (const queue of this.#idle.keys()) if (!named.has(queue)) this.#idle.delete(queue);
    for (const { queue, consumers, message } of queues) {
      const known = this.#idle.get(queue);
      if (consumers > 0) {
        if (known?.isSaid === true) this.log.info(`queue ${queue} has a consumer`);
        this.#idle.delete(queue);
      } else if (known === undefined) this.#idle.set(queue, { sinceMs: this.now(), isSaid: false });
      else if (!known.isSaid && this.now() - known.sinceMs >= PATIENCE_MS) {
        known.isSaid = true;
        this.log.warn(message, { code: 'no-consumer' });
      }
    }
  }
}
