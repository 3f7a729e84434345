/** Keeps the namespace for this daemon while Redis is connected: no frame is written without it. */
import { withDeadline } from '../../clock/sleep';
import { Fault, type FaultRecord } from '../../fault/fault';
import type { Holder } from '../../connections/namespace-lease';
import type { RedisClient } from '../../connections/redis';
import { isReply, redisFault } from '../../connections/redis-fault';
import { namespaceInUse, namespaceUnsure } from '../../connections/namespace-fault';
import { LEASE_MS, NamespaceLease, RENEW_MS } from '../../connections/namespace-lease';

/** Time limit at a stop: if Redis does not answer, the lease expires. */
const RELEASE_MS = 300;

export interface LeaseKeeperOptions {
  readonly client: RedisClient;
  readonly url: string;
  readonly namespace: string;
  readonly holder: Holder;
  /** Called when the namespace has become ours, or is no longer ours. */
  readonly onChange: (fault?: FaultRecord) => void;
  /** Redis refuses the query, so that another daemon would not be noticed. Called once. */
  readonly onBlind: (fault: FaultRecord) => void;
}

/** `asking`: not yet known for this connection. */
type State = { readonly name: 'asking' | 'held' } | { readonly name: 'refused'; readonly fault: FaultRecord };

export class LeaseKeeper {
  readonly #lease: NamespaceLease;
  #state: State = { name: 'asking' };
  #askedAtMs = 0;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #toldBlind = false;

  constructor(private readonly options: LeaseKeeperOptions) {
    this.#lease = new NamespaceLease(options.client, options.namespace, options.holder);
  }

  /** The connection is ready. */
  begin(): void {
    this.end();
    this.#timer = setInterval(() => void this.#ask(), RENEW_MS);
    void this.#ask();
  }

  /** The connection was lost. */
  end(): void {
    clearInterval(this.#timer);
    this.#state = { name: 'asking' };
  }

  /**
   * @throws Fault unless the namespace is ours; if the lease has expired, as while the process was paused,
   * asks again
   */
  async held(): Promise<void> {
    if (this.#state.name === 'asking' || performance.now() - this.#askedAtMs > LEASE_MS) await this.#ask();
    if (this.#state.name === 'refused') throw Fault.from(this.#state.fault);
  }

  async release(): Promise<void> {
    const { name } = this.#state;
    this.end();
    if (name === 'held')
      await withDeadline(
        this.#lease.release().catch(() => undefined),
        RELEASE_MS,
      );
  }

  /** Never rejects, and asks once at a time. */
  async #ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #askOnce(): Promise<void> {
    const { url, namespace } = this.options;
    try {
      const claim = await this.#lease.claim();
      this.#askedAtMs = performance.now();
      if (claim.kind === 'held') this.#enter({ name: 'held' });
      else {
        const faultOf = claim.kind === 'taken' ? namespaceInUse : namespaceUnsure;
        this.#enter({ name: 'refused', fault: faultOf(url, namespace, claim.other) });
      }
    } catch (error) {
      // A broken connection is noticed elsewhere. Where Redis refuses the lease, it refuses frames too, or lets them through.
      if (isReply(error as Error)) this.#goOn(error as Error);
    }
  }

  #goOn(error: Error): void {
    this.#askedAtMs = performance.now();
    const { url, onBlind } = this.options;
    const { code, message } = redisFault(url, error);
    if (code === 'redis-denied' && !this.#toldBlind) {
      this.#toldBlind = true;
      onBlind({ code, message: `${message}; a second daemon with this namespace would not be noticed` });
    }
    if (this.#state.name === 'asking') this.#enter({ name: 'held' });
  }

  #enter(state: State): void {
    const before = this.#state;
    this.#state = state;
    const fault = 'fault' in state ? state.fault : undefined;
    const faultBefore = 'fault' in before ? before.fault : undefined;
    if (before.name !== state.name || fault?.code !== faultBefore?.code) this.options.onChange(fault);
  }
}
