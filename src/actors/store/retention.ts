/**
 * Confirmed frames whose files are still there. With durability `durable` they stay until Redis has them on disk or they
 * have expired, and are stored again when Redis has lost its memory; otherwise only those stay that cannot be removed.
 */
import { frameId, type Frame } from '../../contract/frame';
import { faultRecord } from '../../fault/fault';
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
  /** The server to which an earlier process wrote all the frames it held; by default none is known. */
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
  #runId: string | undefined;
  /** Ids of frames that the current server may lack. */
  readonly #due = new Set<string>();

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

  /**
   * Adds a frame that an earlier process has kept, or removes it if this process keeps none. Never rejects.
   */
  async found(frame: Frame, nowMs: number): Promise<void> {
    this.#hold(frame, nowMs);
    if (!this.options.durable) await this.letGo(frame);
  }

  /** Removes a frame's file, now or as soon as the disk permits. Never rejects. */
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

  /** Releases frames that are on Redis's disk, or have expired. */
  async release(durableBeforeMs: number, nowMs: number): Promise<void> {
    for (const [id, { frame, storedMs, expiresMs }] of this.#held)
      if ((storedMs < durableBeforeMs && !this.#due.has(id)) || expiresMs < nowMs) await this.letGo(frame);
  }

  /** Releases a frame, durable or not. */
  async letGo(frame: Frame): Promise<void> {
    const id = frameId(frame);
    if (!this.#held.delete(id)) return;
    this.#due.delete(id);
    this.#bytes -= frame.bytes;
    await this.options.spool.removeConfirmed(frame).catch(() => undefined);
    this.options.onGone(frame);
  }

  /** The frame that was confirmed first. */
  oldest(): Frame | undefined {
    for (const { frame } of this.#held.values()) return frame;
    return undefined;
  }

  /**
   * Stores again what a restarted or replaced server may have lost.
   * @returns the number of frames written to Redis
   * @throws Fault of the sink; the next call tries again, also for files that could not be read
   */
  async restoreAfter({ runId }: Persistence, sink: RestoreSink, nowMs: number): Promise<number> {
    if (runId !== (this.#runId ?? this.#server.runId)) for (const id of this.#held.keys()) this.#due.add(id);
    this.#runId = runId;
    let restored = 0;
    for (const id of [...this.#due]) {
      const outcome = await this.#restore(this.#held.get(id), sink, nowMs);
      if (outcome === 'restored') restored++;
      if (outcome !== 'unreadable') this.#due.delete(id);
    }
    if (this.#due.size === 0 && this.#server.runId !== runId) this.#server.runId = runId;
    return restored;
  }

  /** @throws Fault of the sink */
  async #restore(
    held: Held | undefined,
    sink: RestoreSink,
    nowMs: number,
  ): Promise<'restored' | 'gone' | 'unreadable'> {
    if (held === undefined || held.expiresMs <= nowMs) return 'gone';
    const { frame, expiresMs } = held;
    try {
      const bytes = await this.options.spool.readConfirmed(frame);
      if (bytes === undefined) return 'gone';
      await sink.restore(frame, bytes, expiresMs - nowMs);
    } catch (error) {
      const { code } = faultRecord(error, '');
      if (code === 'spool-read') return 'unreadable';
      if (code === 'damaged-frame') return 'gone';
      throw error;
    }
    this.#held.set(frameId(frame), { ...held, storedMs: nowMs });
    return 'restored';
  }

  #hold(frame: Frame, storedMs: number): void {
    this.#held.set(frameId(frame), { frame, storedMs, expiresMs: storedMs + this.options.expireMs });
    this.#bytes += frame.bytes;
  }
}
