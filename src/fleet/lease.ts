/** This node's lease in etcd: renewed once a second, and valid by a monotonic clock from when the renewal was sent. */
import type { Etcd } from '../etcd/etcd';
import type { FleetClock } from './options';

/** Time after its last renewal at which etcd removes a dead node's keys (5.25 s were measured). */
export const LEASE_MS = 5000;
export const RENEW_MS = 1000;

export class Lease {
  #id: string | undefined;
  #validUntilMs = -Infinity;

  constructor(
    private readonly etcd: Pick<Etcd, 'grant' | 'keepAlive' | 'revoke'>,
    private readonly now: () => number,
  ) {}

  /** Undefined until there is one, and when it has ended. */
  get id(): string | undefined {
    return this.#id;
  }

  /** While it is valid, no other node can have this node's cameras. */
  get isValid(): boolean {
    return this.leftMs > 0;
  }

  /** How long the lease is still valid, milliseconds. */
  get leftMs(): number {
    return this.#validUntilMs - this.now();
  }

  /**
   * Renews the lease.
   * @returns false if there is a new lease, which has no keys yet
   * @throws Fault of etcd
   */
  async renew(): Promise<boolean> {
    const sentMs = this.now();
    const isOld = this.#id !== undefined && (await this.etcd.keepAlive(this.#id));
    if (!isOld) {
      this.#id = undefined;
      this.#id = await this.etcd.grant(LEASE_MS / 1000);
    }
    this.#validUntilMs = sentMs + LEASE_MS;
    return isOld;
  }

  /**
   * Calls `onEnded` when the lease has ended unrenewed, also while an answer of etcd is awaited, which may
   * take as long as the lease; then every second until there is a lease again.
   */
  async guard(clock: FleetClock, signal: AbortSignal, onEnded: () => Promise<void>): Promise<void> {
    for (;;) {
      await clock.sleep(this.isValid ? Math.ceil(this.leftMs) : RENEW_MS, signal);
      if (signal.aborted) return;
      if (!this.isValid) await onEnded();
    }
  }

  /** Ends the lease, which removes all keys under it. */
  async end(): Promise<void> {
    if (this.#id !== undefined) await this.etcd.revoke(this.#id);
    this.#id = undefined;
    this.#validUntilMs = -Infinity;
  }
}
