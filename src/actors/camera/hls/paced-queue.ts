/** Holds packets until they are due, then passes them on. */
import { performance } from 'node:perf_hooks';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';

export interface PacedPacket {
  readonly packet: Packet;
  readonly header: StreamHeader;
  /** The packet does not continue the previous one. */
  readonly begins: boolean;
  /** By performance.now(). */
  readonly dueMs: number;
}

export class PacedQueue {
  #waiting: PacedPacket[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #onShorter: (() => void)[] = [];
  #closed = false;

  /** @param release receives a packet, and how many milliseconds ago it was due */
  constructor(private readonly release: (packet: PacedPacket, agoMs: number) => void) {}

  get bytes(): number {
    return this.#bytes;
  }

  push(packet: PacedPacket): void {
    if (this.#closed) return;
    this.#waiting.push(packet);
    this.#bytes += packet.packet.bytes.length;
    if (this.#waiting.length === 1) this.#arm();
  }

  /**
   * Settles when `isShort()` is true, which is checked whenever packets have left, or when the queue is
   * closed.
   */
  async until(isShort: () => boolean): Promise<void> {
    while (!this.#closed && !isShort()) await new Promise<void>((resolve) => this.#onShorter.push(resolve));
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Waiting packets are dropped. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#tell();
  }

  #arm(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#closed) return;
    this.#timer = setTimeout(
      () => this.#releaseDue(),
      Math.max(0, Math.ceil(next.dueMs - performance.now())),
    );
  }

  #releaseDue(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const agoMs = performance.now() - next.dueMs;
      if (agoMs < 0) break;
      this.#waiting.shift();
      this.#bytes -= next.packet.bytes.length;
      this.release(next, agoMs);
    }
    this.#tell();
    this.#arm();
  }

  #tell(): void {
    const waiting = this.#onShorter;
    this.#onShorter = [];
    for (const resolve of waiting) resolve();
  }
}
