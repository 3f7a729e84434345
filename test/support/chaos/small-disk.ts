/** A small disk that can be filled: a tmpfs, where we may mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

const FILLER = 'filler';

export class SmallDisk {
  private constructor(private readonly dir: string) {}

  /** Mounts it on a folder; undefined where that is not allowed. */
  static mount(dir: string, megabytes: number): SmallDisk | undefined {
    try {
      execFileSync(
        'mount',
        ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m,mode=700`, 'vigil-chaos', dir],
        {
          stdio: 'ignore',
        },
      );
      return new SmallDisk(dir);
    } catch {
      return undefined;
    }
  }

  fill(): void {
    const fd = openSync(path.join(this.dir, FILLER), 'w');
    try {
      // To the last byte: in ever smaller steps.
      for (let size = 1 << 20; size >= 1; size >>= 1) fillWith(fd, Buffer.alloc(size));
    } finally {
      closeSync(fd);
    }
  }

  free(): void {
    rmSync(path.join(this.dir, FILLER), { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.dir], { stdio: 'ignore' });
  }
}

function fillWith(fd: number, block: Buffer): void {
  try {
    for (;;) if (writeSync(fd, block) < block.length) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
