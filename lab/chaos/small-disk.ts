/** A small disk that can be filled, and made read-only: a tmpfs, where we may mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import path from 'node:path';

const FILLER = 'filler';
const MEBIBYTE = 1 << 20;

export class SmallDisk {
  private constructor(
    private dir: string,
    private readonly bytes: number,
  ) {}

  /** Mounts it on a folder; undefined where that is not allowed. */
  static mount(dir: string, bytes: number): SmallDisk | undefined {
    try {
      mount('-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'vigil-chaos', dir);
      return new SmallDisk(dir, bytes);
    } catch {
      return undefined;
    }
  }

  /** Leaves this many bytes free, exactly none for 0. Nothing is written for that: the disk becomes smaller. */
  leave(bytes: number): void {
    const { blocks, bfree, bsize } = statfsSync(this.dir);
    this.#resize((blocks - bfree) * bsize + Math.max(bytes, MEBIBYTE));
    if (bytes === 0) this.#fill();
  }

  /** As it was at the start. */
  free(): void {
    this.#resize(this.bytes);
    rmSync(path.join(this.dir, FILLER), { force: true });
  }

  /** Mounts it on another folder instead. */
  move(dir: string): void {
    mount('--bind', this.dir, dir);
    this.unmount();
    this.dir = dir;
  }

  /** A folder of it, below a mount of its own: files that are open do not mind. */
  makeReadOnly(folder: string): void {
    mount('--bind', folder, folder);
    mount('-o', 'remount,bind,ro', folder);
  }

  makeWritable(folder: string): void {
    execFileSync('umount', ['-l', folder]);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.dir], { stdio: 'ignore' });
  }

  #resize(bytes: number): void {
    mount('-o', `remount,size=${bytes}`, this.dir);
  }

  #fill(): void {
    const fd = openSync(path.join(this.dir, FILLER), 'w');
    try {
      // To the last byte: in ever smaller steps.
      for (let size = MEBIBYTE; size >= 1; size >>= 1) fillWith(fd, Buffer.alloc(size));
    } finally {
      closeSync(fd);
    }
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function fillWith(fd: number, block: Buffer): void {
  try {
    for (;;) if (writeSync(fd, block) < block.length) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
