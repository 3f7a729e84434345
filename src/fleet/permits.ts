/**
 * Permits to begin a move for balance: keys in etcd, each under its own lease of one minute. So the whole
 * fleet begins at most as many moves a minute as there are permits, whatever its nodes know and whichever of
 * them restart.
 */
import type { Etcd } from '../etcd/etcd';
import type { Facts, Keys } from './facts';

/** Moves for balance that the whole fleet begins within a minute. */
const NAMES = Array.from({ length: 10 }, (_, i) => String(i));
/** A minute, and the time that may pass between the lease and the move. */
const LASTS_S = 61;
const BETWEEN_MS = 1000;

export interface PermitsOptions {
  readonly etcd: Pick<Etcd, 'grant' | 'revoke' | 'transact'>;
  readonly node: string;
  readonly keys: Keys;
  readonly facts: Pick<Facts, 'permits'>;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class Permits {
  constructor(private readonly options: PermitsOptions) {}

  /** The free permits known to this node, in an order that is the same on all nodes. */
  get free(): readonly string[] {
    const { permits } = this.options.facts;
    return NAMES.filter((name) => !permits.has(name));
  }

  /**
   * Takes a permit for a camera of this node.
   * @returns false if another node was faster; the watch will report it
   * @throws Fault of etcd
   */
  async take(name: string, camera: string): Promise<boolean> {
    const { etcd, node, keys, facts, now } = this.options;
    const askedMs = now();
    const lease = await etcd.grant(LASTS_S);
    const key = keys.permit(name);
    const put = { put: key, value: JSON.stringify({ node, camera }), lease };
    const isInTime = now() - askedMs < BETWEEN_MS;
    if (isInTime && (await etcd.transact([{ key, is: 'absent' }], [put]))) {
      facts.permits.add(name);
      return true;
    }
    await etcd.revoke(lease);
    return false;
  }
}
