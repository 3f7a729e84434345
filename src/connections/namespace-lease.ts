/**
 * Determines which daemon holds a namespace on a Redis, one at a time: the key `<namespace>:daemon`, which
 * its holder renews every second, expires when the holder dies. Like frames, it needs only SET and GET.
 */
import type { RedisClient } from './redis';

/** A dead daemon keeps the namespace for this long at most. */
export const LEASE_MS = 5000;
export const RENEW_MS = 1000;

/** How a daemon identifies itself to others that use the same servers. */
export interface Holder {
  /** The same after a restart, and unique to this daemon. */
  readonly id: string;
  /** For people: `daemon with pid 12 on host cam-server (data directory /srv/vigil)`. */
  readonly name: string;
  /** The nodes of a fleet hold a namespace together. */
  readonly isShared?: true;
}

interface Entry extends Holder {
  /** When it was renewed, on the holder's clock: only whether it changes counts. */
  readonly renewedAtMs: number;
}

export type Claim =
  | { readonly kind: 'held' }
  /** The key belongs to another daemon, which may or may not still run. */
  | { readonly kind: 'unsure'; readonly other: Holder }
  /** Another daemon renews it. */
  | { readonly kind: 'taken'; readonly other: Holder };

/**
 * Compares the entry at the key with the one found before. Pure.
 * @returns undefined when the key is free, or its owner cannot be determined
 */
export function claimOf({ id }: Holder, found: string | null, before: string | undefined): Claim | undefined {
  const entry = parse(found);
  if (entry === undefined) return undefined;
  if (entry.id === id) return { kind: 'held' };
  return { kind: before === undefined || before === found ? 'unsure' : 'taken', other: entry };
}

export class NamespaceLease {
  readonly #key: string;
  /** Entry of another daemon, as last found, and since when it has not changed, milliseconds of `now`. */
  #before: string | undefined;
  #sinceMs = 0;

  constructor(
    private readonly client: Pick<RedisClient, 'get' | 'set'>,
    namespace: string,
    private readonly holder: Holder,
    private readonly now = () => performance.now(),
  ) {
    this.#key = `${namespace}:daemon`;
  }

  /**
   * Takes the namespace if it is free, renews it if this daemon holds it. Must be called every {@link RENEW_MS}, or more often.
   * @throws the error of Redis, or of the connection to it
   */
  async claim(): Promise<Claim> {
    const found = await this.client.get(this.#key);
    const claim = claimOf(this.holder, found, this.#before);
    if (claim === undefined) return this.#takeFree(found);
    if (claim.kind === 'held') return this.takeOver();
    if (claim.kind === 'taken') return claim;
    if (this.#before !== found) [this.#before, this.#sinceMs] = [found ?? undefined, this.now()];
    // A key that has lost its expiry (PERSIST, a restored dump) would keep all daemons out.
    if (this.now() - this.#sinceMs < 2 * LEASE_MS) return claim;
    return this.takeOver();
  }

  /** Takes the namespace even if another daemon holds it, which then ends. */
  async takeOver(): Promise<Claim> {
    await this.client.set(this.#key, this.#entry(), 'PX', LEASE_MS);
    return { kind: 'held' };
  }

  /** Frees the namespace for the next daemon, if this one holds it. */
  async release(): Promise<void> {
    if (this.holder.isShared === true) return;
    const claim = claimOf(this.holder, await this.client.get(this.#key), undefined);
    // Expires in a millisecond: a user that may only SET and GET cannot delete the key.
    if (claim?.kind === 'held') await this.client.set(this.#key, '', 'PX', 1);
  }

  async #takeFree(found: string | null): Promise<Claim> {
    if (found !== null) return this.takeOver();
    const taken = await this.client.set(this.#key, this.#entry(), 'PX', LEASE_MS, 'NX');
    if (taken !== null) return { kind: 'held' };
    // Another daemon may have been faster.
    const now = await this.client.get(this.#key);
    return claimOf(this.holder, now, undefined) ?? this.claim();
  }

  #entry(): string {
    const entry: Entry = { ...this.holder, renewedAtMs: Date.now() };
    return JSON.stringify(entry);
  }
}

function parse(text: string | null): Entry | undefined {
  try {
    const entry = JSON.parse(text ?? '') as Partial<Entry> | null;
    return typeof entry?.id === 'string' && typeof entry.name === 'string' ? (entry as Entry) : undefined;
  } catch {
    return undefined;
  }
}
