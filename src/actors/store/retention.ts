/**
 * Confirmed frames whose files are still there. With durability `durable` they stay until Redis has them on disk or they
 * have expired, and are stored again when Redis has lost its memory; otherwise only those stay that cannot be removed.
 */
import { frameId, type Frame } from '../../contract/frame';
import type { Spool } from '../../spool/spool';
import type { KnownServer } from './known-server';
import type { Persistence } from './persistence';

/** Where a frame is stored again; see RedisFrames. */
export interface RestoreSink {
  restore(frame: Frame, bytes: Buffer, lifeMs: number): Promise<void>;
}

interface Held {
  readonly frame: Frame;
  /** When Redis took it last, milliseconds since the epoch. */
  readonly storedMs: number;
  /** When it expires there. */
  readonly expiresMs: number;
}

export interface RetentionOptions {
  readonly spool: Spool;
  readonly durable: boolean;
  readonly expireMs: number;
  /** The server that was given all that an earlier process held; by default none is known. */
  readonly server?: KnownServer;
  /** The frame's file has gone. */
  readonly onGone: (frame: Frame) => void;
}

export class Retention {
  readonly #held = new Map<string, Held>();
  /** Frames whose file could not be removed: on a disk that has become read-only. */
  readonly #stuck = new Set<Frame>();
  #bytes = 0;
  readonly #server: KnownServer;

  constructor(private readonly options: RetentionOptions) {
    this.#server = options.server ?? { runId: undefined };
  }

  get frames(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A frame has been confirmed. Never rejects. */
  async keep(frame: Frame, storedMs: number): Promise<void> {
    const { spool, durable } = this.options;
    try {
      if (!durable) throw new Error('not wanted');
      await spool.confirm(frame);
      this.#hold(frame, storedMs);
    } catch {
      await this.remove(frame);
    }
  }

  /** A frame that an earlier process has kept. */
  found(frame: Frame, nowMs: number): void {
    this.#hold(frame, nowMs);
  }

  /** Removes a frame that waits, now or as soon as the disk lets it. Never rejects. */
  async remove(frame: Frame): Promise<void> {
    try {
      await this.options.spool.remove(frame);
      this.options.onGone(frame);
    } catch {
      this.#stuck.add(frame);
    }
  }

  /** Tries again to remove what could not be removed. */
  async removeStuck(): Promise<void> {
    const stuck = [...this.#stuck];
    this.#stuck.clear();
    for (const frame of stuck) await this.remove(frame);
  }

  /** Lets go of what is on Redis's disk, or has expired. */
  async release(durableBeforeMs: number, nowMs: number): Promise<void> {
    for (const { frame, storedMs, expiresMs } of this.#held.values())
      if (storedMs < durableBeforeMs || expiresMs < nowMs) await this.letGo(frame);
  }

  /** Lets go of a frame, durable or not. */
  async letGo(frame: Frame): Promise<void> {
    if (!this.#held.delete(frameId(frame))) return;
    this.#bytes -= frame.bytes;
    await this.options.spool.removeConfirmed(frame).catch(() => undefined);
    this.options.onGone(frame);
  }

  /** The one that was confirmed first. */
  oldest(): Frame | undefined {
    for (const { frame } of this.#held.values()) return frame;
    return undefined;
  }

  /**
   * Stores again what a server that began anew, or took another's place, may not have.
   * @returns how many frames Redis was given
   * @throws Fault of the sink; the next call tries again
   */
  async restoreAfter({ runId }: Persistence, sink: RestoreSink, nowMs: number): Promise<number> {
    if (runId === this.#server.runId) return 0;
    let restored = 0;
    for (const held of [...this.#held.values()]) {
      const { frame, expiresMs } = held;
      if (expiresMs <= nowMs) continue;
      const bytes = await this.options.spool.readConfirmed(frame).catch(() => undefined);
      if (bytes === undefined) continue;
      await sink.restore(frame, bytes, expiresMs - nowMs);
      this.#held.set(frameId(frame), { ...held, storedMs: nowMs });
      restored++;
    }
    this.#server.runId = runId;
    return restored;
  }

  #hold(frame: Frame, storedMs: number): void {
    this.#held.set(frameId(frame), { frame, storedMs, expiresMs: storedMs + this.options.expireMs });
    this.#bytes += frame.bytes;
  }
}
