/**
 * What the spool removes if its disk has too little room left: nothing unless that helps. Pure: times are passed in,
 * from a clock that is never set.
 */

/**
 * Milliseconds until the next try if removal did not help: others fill the disk as fast, or snapshots keep
 * the files.
 */
const RETRY_MS = 60_000;
/** The share of the removed bytes that must have become free for the removal to count as a help. */
const HELPED_SHARE = 0.5;

export interface LowDiskLook {
  readonly freeBytes: number;
  readonly minFreeBytes: number;
  /** What the spool has on that disk and may remove. */
  readonly removableBytes: number;
  readonly nowMs: number;
}

export class LowDisk {
  /** The expected result of the last removal. */
  #hoped: { readonly freeBytes: number; readonly atMs: number } | undefined;

  /**
   * Bytes the spool has to remove now, oldest first; 0 if the disk has room, or if removal would not suffice.
   */
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
