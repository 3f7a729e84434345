/** Keeps the outbox in step with the spool, and the spool within its bounds. */
import type { SpoolSpec } from '../../config/topology';
import { frameId, type Frame } from '../../contract/frame';
import { faultRecord, type FaultRecord } from '../../fault/fault';
import type { Spool } from '../../spool/spool';
import { boundOf, overflow, type OverflowReason } from './bounds';
import { LowDisk } from './low-disk';
import { LIVE_MS, type Outbox, type Waiting } from './outbox';
import type { Retention } from './retention';

/**
 * The spool is authoritative: reports of cameras may be lost. Listing 20,000 files takes 60 ms (measured).
 */
const SCAN_MS = 10_000;
/** Most frames named in one report. */
const MAX_REPORTED = 500;

export interface SpoolKeeperOptions {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly retention: Retention;
  readonly bounds: SpoolSpec;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
  readonly onDropped: (frames: readonly Frame[], fault: FaultRecord) => void;
}

export class SpoolKeeper {
  #scannedAt = -Infinity;
  /** The fault of the last scan if it could not list everything. */
  #scanFault: FaultRecord | undefined;
  readonly #lowDisk = new LowDisk();

  constructor(private readonly options: SpoolKeeperOptions) {}

  /**
   * To be called about once a second.
   * @returns why part of the spool could not be listed in the last scan; bounds are enforced all the same
   */
  async tick(): Promise<FaultRecord | undefined> {
    const { now, retention } = this.options;
    if (now() - this.#scannedAt >= SCAN_MS) await this.scan();
    await retention.removeStuck();
    await this.#enforceBounds();
    return this.#scanFault;
  }

  /** Adds frames that the outbox does not know. Never rejects. */
  async scan(): Promise<void> {
    const { spool, now } = this.options;
    this.#scannedAt = now();
    try {
      await this.#takeIn();
      this.#scanFault = undefined;
    } catch (error) {
      this.#scanFault = faultRecord(error, 'spool-read');
    }
    await spool.removeLeftovers();
  }

  async #takeIn(): Promise<void> {
    const { spool, outbox, retention, now } = this.options;
    outbox.beginScan();
    for await (const { waiting, confirmed } of spool.list()) {
      const [atMs, clockMs] = [now(), Date.now()];
      for (const frame of waiting) outbox.add(frame, atMs - Math.max(0, clockMs - frame.capturedAt));
      for (const frame of confirmed) if (outbox.know(frame)) await retention.found(frame, clockMs);
    }
  }

  async #enforceBounds(): Promise<void> {
    const dropped = new Map<OverflowReason, Frame[]>();
    for (let reason = this.#overflow(); reason !== undefined; reason = this.#overflow())
      if (!(await this.#makeRoom(reason, dropped))) break;
    await this.#leaveDiskRoom(dropped);
    for (const [reason, frames] of dropped) this.#report(reason, frames);
  }

  /** For a disk that others fill: cameras stop writing to it, and the spool's files on it are removed if that helps. */
  async #leaveDiskRoom(dropped: Map<OverflowReason, Frame[]>): Promise<void> {
    const { spool, outbox, retention, bounds, now } = this.options;
    const freeBytes = bounds.minFreeBytes === 0 ? undefined : await spool.freeBytes();
    if (freeBytes === undefined) return;
    const look = { freeBytes, minFreeBytes: bounds.minFreeBytes, nowMs: now() };
    const mostBytes = outbox.bytes + retention.bytes;
    // Frames are counted only if that can change the answer: there may be 200,000.
    const onDisk =
      freeBytes < bounds.minFreeBytes && freeBytes + mostBytes >= bounds.minFreeBytes
        ? await this.#waitingOnDisk()
        : [];
    const removableBytes = onDisk.reduce((sum, { frame }) => sum + frame.bytes, retention.bytes);
    let owed = this.#lowDisk.owedBytes({ ...look, removableBytes });
    for (let held = retention.oldest(); owed > 0 && held !== undefined; held = retention.oldest()) {
      await retention.letGo(held);
      owed -= held.bytes;
    }
    for (const waiting of onDisk) {
      if (owed <= 0) return;
      await this.#giveUp(waiting, 'spool-free', dropped);
      owed -= waiting.frame.bytes;
    }
  }

  /** Oldest first. */
  async #waitingOnDisk(): Promise<Waiting[]> {
    const { spool, outbox } = this.options;
    const inMemory = new Set((await spool.inMemory().catch(() => [])).map(frameId));
    return outbox.waiting().filter(({ frame }) => !inMemory.has(frameId(frame)));
  }

  #overflow(): OverflowReason | undefined {
    const { outbox, retention, bounds, now } = this.options;
    const oldest = outbox.oldest();
    const holding = {
      frames: outbox.frames + retention.frames,
      bytes: outbox.bytes + retention.bytes,
      oldestMs: oldest === undefined ? 0 : now() - oldest.bornMs,
    };
    return overflow(holding, bounds, LIVE_MS);
  }

  /** Confirmed frames are kept only to be stored again, so they are removed first. False if nothing is left that may be removed. */
  async #makeRoom(reason: OverflowReason, dropped: Map<OverflowReason, Frame[]>): Promise<boolean> {
    const { outbox, retention } = this.options;
    const confirmed = reason === 'spool-age' || reason === 'replay-none' ? undefined : retention.oldest();
    if (confirmed !== undefined) {
      await retention.letGo(confirmed);
      return true;
    }
    const oldest = outbox.oldest();
    if (oldest === undefined) return false;
    await this.#giveUp(oldest, reason, dropped);
    return true;
  }

  async #giveUp(
    waiting: Waiting,
    reason: OverflowReason,
    dropped: Map<OverflowReason, Frame[]>,
  ): Promise<void> {
    const { outbox, retention } = this.options;
    if (!outbox.drop(waiting)) return;
    await retention.remove(waiting.frame);
    const others = dropped.get(reason);
    if (others === undefined) dropped.set(reason, [waiting.frame]);
    else others.push(waiting.frame);
  }

  #report(reason: OverflowReason, frames: readonly Frame[]): void {
    const message = `undelivered frames are dropped: ${boundOf(reason, this.options.bounds)}`;
    for (let i = 0; i < frames.length; i += MAX_REPORTED)
      this.options.onDropped(frames.slice(i, i + MAX_REPORTED), { code: reason, message });
  }
}
