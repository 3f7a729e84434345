/** What this process knows of frames that may be delivered again. */
import type { Settlement } from './queue-message';

/**
 * `ack` and `reject`: done with, perhaps without the broker having heard of it. `requeue`: given back, or lost with a
 * connection that this process outlived: it does not die of it.
 */
export type SeenFrame = Settlement;

/** Above the largest prefetch in use; a key takes some 100 bytes. */
const MAX_FRAMES = 20_000;

export class SeenFrames {
  readonly #frames = new Map<string, SeenFrame>();

  get(key: string): SeenFrame | undefined {
    return this.#frames.get(key);
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
