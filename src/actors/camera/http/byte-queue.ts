/**
 * Unprocessed bytes in one contiguous buffer: each is copied only a few times, however small the chunks are.
 */

const FIRST_CAPACITY = 256 * 1024;

export class ByteQueue {
  #memory = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  /** All bytes in the queue; valid until the next {@link append}. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#from, this.#to);
  }

  append(chunk: Buffer): void {
    if (this.#to + chunk.length > this.#memory.length) this.#makeRoom(chunk.length);
    chunk.copy(this.#memory, this.#to);
    this.#to += chunk.length;
  }

  /** Removes the first `length` bytes. */
  drop(length: number): void {
    this.#from = Math.min(this.#to, this.#from + length);
    if (this.#from === this.#to) this.#from = this.#to = 0;
  }

  #makeRoom(more: number): void {
    const kept = this.bytes;
    const needed = kept.length + more;
    const memory =
      needed <= this.#memory.length
        ? this.#memory
        : Buffer.allocUnsafeSlow(Math.max(needed, 2 * kept.length));
    kept.copy(memory);
    this.#memory = memory;
    this.#from = 0;
    this.#to = kept.length;
  }
}
