/** A broker that is connected but confirms nothing: why, and what to renew. Only a confirm ends the trouble. */
import { brokerFault } from '../../connections/rabbitmq-fault';
import { withDeadline } from '../../clock/sleep';
import { hostsOf } from '../../url/url';
import type { FaultRecord } from '../../fault/fault';
import { Refusals, type Remedy } from './refusals';

/**
 * A queue confirms in milliseconds. After this time the connection is closed: messages sent to a quorum queue while a killed
 * broker recovers it are never confirmed (seen with 3.10).
 */
const CONFIRM_MS = 10_000;
/**
 * The same if another host can be tried: a node cut off from the others accepts connections and confirms nothing. A
 * queue whose leader is frozen has a new one after 5.4 to 7 s (measured). Waiting connections are notified of it, including
 * standby ones; a connection opened meanwhile gets no answer. So a host is left early only for one that stands by, and late if
 * the standby does not answer either, as it may be the frozen one.
 */
const CONFIRM_MS_OF_SEVERAL = { ready: 5000, absent: 8000, silent: 14_000 } as const;
/** A broker that is asked whether a queue is full answers in milliseconds. */
const FULLNESS_MS = 2000;

/** See {@link brokerFault}. */
export const REFUSED = 'refuses all messages';

export interface TroubleOptions {
  readonly url: string;
  /** Why the queue may refuse everything, if it is full; undefined if it is not. */
  readonly fullness?: (() => Promise<FaultRecord | undefined>) | undefined;
  /** Another host that stands by. */
  readonly standby?: () => Promise<keyof typeof CONFIRM_MS_OF_SEVERAL>;
  /** Called with the trouble when it begins, and with undefined when it is over. */
  readonly onTrouble: (fault?: FaultRecord) => void;
}

export class Trouble {
  readonly #refusals = new Refusals();
  /** The trouble on this connection or on previous ones. */
  #fault: FaultRecord | undefined;

  constructor(private readonly options: TroubleOptions) {}

  get fault(): FaultRecord | undefined {
    return this.#fault;
  }

  confirmed(): void {
    this.#refusals.confirmed();
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.options.onTrouble();
  }

  refused(nowMs: number): void {
    this.#refusals.refused(nowMs);
  }

  /**
   * What to renew, if anything.
   * @param owedMs how long the oldest confirm is owed
   * @throws Error when that is too long
   */
  async remedy(owedMs: () => number, now: () => number): Promise<Remedy | undefined> {
    const { url, fullness, onTrouble } = this.options;
    const confirmMs = await this.#confirmMs(owedMs());
    // The confirm may have arrived meanwhile.
    if (owedMs() > confirmMs) {
      const error = new Error(`no confirm within ${confirmMs} ms`);
      this.#fault = brokerFault(url, error);
      throw error;
    }
    if (!this.#refusals.areLasting(now())) return undefined;
    const full = await withDeadline(fullness?.() ?? Promise.resolve(undefined), FULLNESS_MS);
    // The queue may have room again by now.
    if (!this.#refusals.areLasting(now())) return undefined;
    this.#fault = full ?? brokerFault(url, new Error(REFUSED));
    onTrouble(this.#fault);
    if (full === undefined) return this.#refusals.remedy();
    this.#refusals.excuse();
    return undefined;
  }

  /** How long a confirm may be owed. */
  async #confirmMs(owedMs: number): Promise<number> {
    const { url, standby } = this.options;
    if (hostsOf(url).length === 1) return CONFIRM_MS;
    const soonMs = Math.min(...Object.values(CONFIRM_MS_OF_SEVERAL));
    return owedMs > soonMs ? CONFIRM_MS_OF_SEVERAL[(await standby?.()) ?? 'absent'] : soonMs;
  }
}
