/** A small folder in memory (tmpfs) for the frames a full or failing disk does not take: `<camera>.<spool name>`. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rmdir, unlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Frame } from '../contract/frame';
import { Fault } from '../protocol/fault';
import { ignoreMissing, readFrameFile, writeFrameFile } from './frame-file';
import { parseSpoolName, spoolName } from './names';

/** Linux; elsewhere there is none, and a full disk costs frames. */
const SHARED_MEMORY = '/dev/shm';
/** Two hundred pictures of 300 KB, and what a container has there by default. */
export const MEMORY_BYTES = 64 * 1024 * 1024;

/** What tmpfs hands out memory in. */
const PAGE_BYTES = 4096;
/** Milliseconds for which a count of what is held is good enough, or longer: so many times what the counting took. */
const COUNT_MS = 1000;
const COUNT_TIMES = 50;

/** The folder that belongs to a spool, the same for all processes; undefined where the system has no such memory. */
export function memoryFolderOf(spoolDir: string): string | undefined {
  if (!existsSync(SHARED_MEMORY)) return undefined;
  const name = createHash('sha256').update(path.resolve(spoolDir)).digest('hex').slice(0, 16);
  return path.join(SHARED_MEMORY, `vigil-${String(userInfo().uid)}-${name}`);
}

export class MemoryFolder {
  #heldBytes = 0;
  #countAgainMs = 0;

  constructor(
    private readonly dir: string,
    private readonly maxBytes = MEMORY_BYTES,
  ) {}

  /** @throws Fault `spool-full` when the folder has reached its bound */
  async write(frame: Frame, bytes: Buffer): Promise<void> {
    await this.#open();
    await this.#count();
    const held = this.#heldBytes;
    if (held + pagesOf(bytes.length) > this.maxBytes)
      throw new Fault(
        'spool-full',
        `the disk takes none, and ${String(held)} bytes wait in memory already (at most ${String(this.maxBytes)})`,
      );
    await writeFrameFile(this.#path(frame), bytes);
    this.#heldBytes += pagesOf(bytes.length);
  }

  async read(frame: Frame): Promise<Buffer | undefined> {
    if (!this.#exists()) return undefined;
    const name = `camera ${frame.camera}: ${spoolName(frame)} in memory`;
    return readFrameFile(this.#path(frame), frame.bytes, name);
  }

  async remove(frame: Frame): Promise<void> {
    if (!this.#exists()) return;
    await unlink(this.#path(frame)).catch(ignoreMissing);
  }

  /** In no order. */
  async list(): Promise<Frame[]> {
    const names = (await readdir(this.dir).catch(ignoreMissing)) ?? [];
    return names.flatMap((name) => {
      const dot = name.indexOf('.');
      return dot < 1 ? [] : (parseSpoolName(name.slice(0, dot), name.slice(dot + 1)) ?? []);
    });
  }

  /** Removes what a crash left half-written of a camera. */
  async clean(camera: string): Promise<void> {
    const names = (await readdir(this.dir).catch(ignoreMissing)) ?? [];
    const leftovers = names.filter((name) => name.startsWith(`.${camera}.`));
    await Promise.all(leftovers.map((name) => unlink(path.join(this.dir, name)).catch(ignoreMissing)));
  }

  /** Removes the folder if nothing is left in it. */
  async close(): Promise<void> {
    await rmdir(this.dir).catch(() => undefined);
  }

  /**
   * Other processes write and remove here too, and to look at thousands of small frames takes longer than to write one:
   * so they are counted now and then only. What the others write meanwhile may exceed the bound, by a second's pictures.
   */
  async #count(): Promise<void> {
    const startedMs = performance.now();
    if (startedMs < this.#countAgainMs) return;
    this.#heldBytes = (await this.list()).reduce((sum, { bytes }) => sum + pagesOf(bytes), 0);
    const tookMs = performance.now() - startedMs;
    this.#countAgainMs = startedMs + Math.max(COUNT_MS, COUNT_TIMES * tookMs);
  }

  /** It hardly ever does. Each frame asks, so not by way of the thread pool: that took a tenth of a delivery's processor time. */
  #exists(): boolean {
    return existsSync(this.dir);
  }

  /** The parent is everybody's: a folder of that name made by another user is not used. */
  async #open(): Promise<void> {
    await mkdir(this.dir, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    const found = await lstat(this.dir);
    if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o077) !== 0)
      throw new Fault('spool-full', `${this.dir} is not this user's own folder; remove it`);
  }

  #path(frame: Frame): string {
    return path.join(this.dir, `${frame.camera}.${spoolName(frame)}`);
  }
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
