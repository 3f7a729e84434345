/** Connects to the hosts of a cluster: the next one is tried when one fails or does not answer soon. */
import { performance } from 'node:perf_hooks';
import type { ChannelModel } from 'amqplib';
import { withDeadline } from '../clock/sleep';
import type { HostOrder } from './host-order';

/** After this time the next host is tried in parallel: a frozen one accepts connections but does not answer. */
const HEDGE_MS = 1000;

interface Attempt {
  readonly host: string;
  readonly giveUp: AbortController;
  readonly outcome: Promise<{ readonly connection: ChannelModel } | { readonly error: unknown }>;
}

/** Connects to one more host each second until one has answered. */
export class HostRace {
  readonly #attempts = new Map<string, Attempt>();

  constructor(
    private readonly order: Pick<HostOrder, 'next' | 'failed'>,
    private readonly connectTo: (host: string, signal: AbortSignal) => Promise<ChannelModel>,
    private readonly signal: AbortSignal,
  ) {}

  /** Slower attempts are closed. Throws the error of the last one that failed. */
  async winner(): Promise<{ host: string; connection: ChannelModel }> {
    const hosts = this.order.next();
    let failure: unknown;
    for (const [index, host] of hosts.entries()) {
      this.#begin(host);
      const isLast = index === hosts.length - 1;
      const until = isLast ? undefined : performance.now() + HEDGE_MS;
      for (;;) {
        const first = await this.#first(until);
        if (first === undefined) break;
        this.#attempts.delete(first.host);
        if ('connection' in first) {
          this.#giveUpOthers();
          return first;
        }
        failure = first.error;
        if (!this.signal.aborted) this.order.failed(first.host);
        if (!isLast) break;
      }
    }
    throw failure;
  }

  #begin(host: string): void {
    const giveUp = new AbortController();
    this.signal.addEventListener('abort', () => giveUp.abort(this.signal.reason));
    if (this.signal.aborted) giveUp.abort(this.signal.reason);
    const outcome = this.connectTo(host, giveUp.signal).then(
      (connection) => ({ connection }),
      (error: unknown) => ({ error }),
    );
    this.#attempts.set(host, { host, giveUp, outcome });
  }

  /** The next attempt that ends; undefined if none does by `untilMs`, or none is left. */
  async #first(untilMs: number | undefined) {
    if (this.#attempts.size === 0) return undefined;
    const first = Promise.race(
      [...this.#attempts.values()].map(async ({ host, outcome }) => ({ host, ...(await outcome) })),
    );
    return untilMs === undefined ? first : withDeadline(first, Math.max(0, untilMs - performance.now()));
  }

  #giveUpOthers(): void {
    for (const { host, giveUp, outcome } of this.#attempts.values()) {
      this.order.failed(host);
      giveUp.abort();
      // A connection may have been opened at the same moment.
      void outcome.then((late) => {
        if (!('connection' in late)) return;
        late.connection.on('error', () => undefined);
        late.connection.close().catch(() => undefined);
      });
    }
  }
}
