/** What this process knows about frames that may be delivered again. */
import type { Settlement } from './queue-message';

/**
 * `ack` and `reject`: finished, perhaps unknown to the broker. `dead`: already a dead letter. `requeue`:
 * returned, or lost with a connection, which this process survived, so that the frame is no suspect.
 */
export type SeenFrame = Settlement | 'dead';

/** More than the largest prefetch in use; a key takes about 100 bytes. */
const MAX_FRAMES = 20_000;

export class SeenFrames {
  readonly #frames = new Map<string, SeenFrame>();

  get(key: string): SeenFrame | undefined {
    return this.#frames.get(key);
  }

  /** How to settle a delivery of a finished frame; undefined if the frame must be handled. */
  settlementOf(key: string, redelivered: boolean): Settlement | undefined {
    const seen = this.#frames.get(key);
    // Without `redelivered`, Vigil has announced it twice, or an operator has put a dead letter back.
    if (seen === 'ack' || !redelivered) return seen === 'ack' ? 'ack' : undefined;
    if (seen === 'dead') return 'ack';
    return seen === 'reject' ? 'reject' : undefined;
  }

  /** Only the newest entries are kept. */
  set(key: string, seen: SeenFrame): void {
    this.#frames.delete(key);
    this.#frames.set(key, seen);
    if (this.#frames.size <= MAX_FRAMES) return;
    const [oldest] = this.#frames.keys();
    if (oldest !== undefined) this.#frames.delete(oldest);
  }
}
