/**
 * What the spool gives up for a disk that has too little room left: nothing unless that helps. Pure: times are handed in,
 * from a clock that is never set.
 */

/** A disk that others fill as fast, or that keeps what was removed (snapshots), gains nothing: milliseconds until the next try. */
const RETRY_MS = 60_000;
/** Of what was removed, the share that must have become free to call it help. */
const HELPED_SHARE = 0.5;

export interface LowDiskLook {
  readonly freeBytes: number;
  readonly minFreeBytes: number;
  /** What the spool has on that disk and may give up. */
  readonly removableBytes: number;
  readonly nowMs: number;
}

export class LowDisk {
  /** What the last removal should have come to. */
  #hoped: { readonly freeBytes: number; readonly atMs: number } | undefined;

  /** Bytes the spool has to remove now, oldest first; 0 when the disk has room, or that much would not make it. */
  owedBytes({ freeBytes, minFreeBytes, removableBytes, nowMs }: LowDiskLook): number {
    const owed = minFreeBytes - freeBytes;
    if (owed <= 0) {
      this.#hoped = undefined;
      return 0;
    }
    const hoped = this.#hoped;
    if (owed > removableBytes) return 0;
    if (hoped !== undefined && freeBytes < hoped.freeBytes && nowMs - hoped.atMs < RETRY_MS) return 0;
    this.#hoped = { freeBytes: freeBytes + owed * HELPED_SHARE, atMs: nowMs };
    return owed;
  }
}
