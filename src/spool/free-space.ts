/** Whether a disk has less free space than the spool must leave. */
import { statfs } from 'node:fs/promises';

/** A low disk is used again when it has this many times the minimum: single frames must not switch it on and off. */
const MARGIN = 1.05;

/** Bytes the disk of a folder has left for this user; undefined if it does not report them. */
export async function freeBytesOf(dir: string): Promise<number | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(dir);
    // Some file systems report no sizes: a tmpfs without a bound, some remote ones.
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Milliseconds for which a disk that had space is assumed to have some: cameras write a few megabytes in that time. */
const LOOK_MS = 5000;

export class FreeSpace {
  #low = false;
  #roomAtMs = -Infinity;

  constructor(
    private readonly dir: string,
    /** Bytes to leave free; 0: all may be used. */
    private readonly minFreeBytes: () => number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async isLow(): Promise<boolean> {
    const leaveBytes = this.minFreeBytes();
    if (leaveBytes === 0 || this.now() - this.#roomAtMs < LOOK_MS) return false;
    const freeBytes = (await freeBytesOf(this.dir)) ?? Infinity;
    this.#low = freeBytes < leaveBytes * (this.#low ? MARGIN : 1);
    if (!this.#low) this.#roomAtMs = this.now();
    return this.#low;
  }
}
