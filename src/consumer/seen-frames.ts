/** What this process knows of frames that may be delivered again. */
import type { Settlement } from './queue-message';

/**
 * `ack` and `reject`: done with, perhaps without the broker having heard of it. `dead`: it is a dead letter already.
 * `requeue`: given back, or lost with a connection that this process outlived: it does not die of it.
 */
export type SeenFrame = Settlement | 'dead';

/** Above the largest prefetch in use; a key takes some 100 bytes. */
const MAX_FRAMES = 20_000;

export class SeenFrames {
  readonly #frames = new Map<string, SeenFrame>();

  get(key: string): SeenFrame | undefined {
    return this.#frames.get(key);
  }

  /** How to settle a delivery of a frame that was done with; undefined when it is to be worked on. */
  settlementOf(key: string, redelivered: boolean): Settlement | undefined {
    const seen = this.#frames.get(key);
    // Without `redelivered`, Vigil has announced it twice, or an operator has put a dead letter back.
    if (seen === 'ack' || !redelivered) return seen === 'ack' ? 'ack' : undefined;
    if (seen === 'dead') return 'ack';
    return seen === 'reject' ? 'reject' : undefined;
  }

  /** The newest are kept. */
  set(key: string, seen: SeenFrame): void {
    this.#frames.delete(key);
    this.#frames.set(key, seen);
    if (this.#frames.size <= MAX_FRAMES) return;
    const [oldest] = this.#frames.keys();
    if (oldest !== undefined) this.#frames.delete(oldest);
  }
}
