/** Keeps the outbox true to the spool, and the spool within its bounds. */
import type { SpoolSpec } from '../../config/topology';
import type { Frame } from '../../contract/frame';
import type { FaultRecord } from '../../protocol/fault';
import type { Spool } from '../../spool/spool';
import { boundOf, overflow, type OverflowReason } from './bounds';
import { LIVE_MS, type Outbox } from './outbox';
import type { Retention } from './retention';

/** The spool is the truth: hints of cameras may have been lost. 20,000 files take 60 ms to list (measured). */
const SCAN_MS = 10_000;
/** Frames named in one report at most. */
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

  constructor(private readonly options: SpoolKeeperOptions) {}

  /** To be called about once a second. */
  async tick(): Promise<void> {
    const { now, retention } = this.options;
    if (now() - this.#scannedAt >= SCAN_MS) await this.scan();
    await retention.removeStuck();
    await this.#enforceBounds();
  }

  /** Finds what the outbox does not know. */
  async scan(): Promise<void> {
    const { spool, outbox, retention, now } = this.options;
    this.#scannedAt = now();
    outbox.beginScan();
    for await (const { waiting, confirmed } of spool.list()) {
      const [atMs, clockMs] = [now(), Date.now()];
      for (const frame of waiting) outbox.add(frame, atMs - Math.max(0, clockMs - frame.capturedAt));
      for (const frame of confirmed) if (outbox.know(frame)) retention.found(frame, clockMs);
    }
  }

  async #enforceBounds(): Promise<void> {
    const { spool, bounds } = this.options;
    let freeBytes = bounds.minFreeBytes === 0 ? 0 : await spool.freeBytes();
    const dropped = new Map<OverflowReason, Frame[]>();
    for (let reason = this.#overflow(freeBytes); reason !== undefined; reason = this.#overflow(freeBytes)) {
      const frame = await this.#makeRoom(reason, dropped);
      if (frame === undefined) break;
      freeBytes += frame.bytes;
    }
    for (const [reason, frames] of dropped) this.#report(reason, frames);
  }

  #overflow(freeBytes: number): OverflowReason | undefined {
    const { outbox, retention, bounds, now } = this.options;
    const oldest = outbox.oldest();
    const holding = {
      frames: outbox.frames + retention.frames,
      bytes: outbox.bytes + retention.bytes,
      oldestMs: oldest === undefined ? 0 : now() - oldest.bornMs,
      freeBytes,
    };
    return overflow(holding, bounds, LIVE_MS);
  }

  /** What is confirmed is only kept to be stored again, so it goes first. */
  async #makeRoom(reason: OverflowReason, dropped: Map<OverflowReason, Frame[]>): Promise<Frame | undefined> {
    const { outbox, retention } = this.options;
    const confirmed = reason === 'spool-age' || reason === 'replay-none' ? undefined : retention.oldest();
    if (confirmed !== undefined) {
      await retention.letGo(confirmed);
      return confirmed;
    }
    const oldest = outbox.oldest();
    if (oldest === undefined) return undefined;
    outbox.drop(oldest);
    await retention.remove(oldest.frame);
    const others = dropped.get(reason);
    if (others === undefined) dropped.set(reason, [oldest.frame]);
    else others.push(oldest.frame);
    return oldest.frame;
  }

  #report(reason: OverflowReason, frames: readonly Frame[]): void {
    const message = `undelivered frames are dropped: ${boundOf(reason, this.options.bounds)}`;
    for (let i = 0; i < frames.length; i += MAX_REPORTED)
      this.options.onDropped(frames.slice(i, i + MAX_REPORTED), { code: reason, message });
  }
}
