/**
 * A broker that refuses everything: if the leader of a quorum queue has died, an existing channel may be
 * refused for ever while a new one is confirmed in milliseconds (seen with 3.10). Decides what to renew, and
 * when. Pure.
 */

/** What to reopen: the channel, the connection, or a connection to another host. */
export type Remedy = 'channel' | 'connection' | 'host';

/** A queue without a leader has a new one within this time (measured with three nodes). */
const FIRST_MS = 3000;
/** A full queue, with a limit that is not known here, refuses for hours. */
const LONGEST_MS = 30_000;
const REMEDIES: readonly Remedy[] = ['channel', 'connection', 'host'];
/** Refusals needed: a single one may be due to the message. */
const ENOUGH = 2;

export class Refusals {
  #sinceMs: number | undefined;
  #count = 0;
  #tried = 0;

  confirmed(): void {
    this.#begin(0);
  }

  refused(nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#count++;
  }

  /** Whether only refusals have come for long enough to act. */
  areLasting(nowMs: number): boolean {
    if (this.#sinceMs === undefined || this.#count < ENOUGH) return false;
    const patienceMs = FIRST_MS * 2 ** Math.max(0, this.#tried + 1 - REMEDIES.length);
    return nowMs - this.#sinceMs >= Math.min(patienceMs, LONGEST_MS);
  }

  /** What to renew next; refusals from what has been closed do not count. */
  remedy(): Remedy {
    const remedy = REMEDIES[this.#tried] ?? 'host';
    this.#begin(this.#tried + 1);
    return remedy;
  }

  /** The refusals have another reason: starts counting again. */
  excuse(): void {
    this.#begin(this.#tried);
  }

  #begin(tried: number): void {
    this.#sinceMs = undefined;
    this.#count = 0;
    this.#tried = tried;
  }
}
