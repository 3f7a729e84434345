/** A small folder in memory (tmpfs) for frames that a full or failing disk does not accept: `<camera>.<spool name>`. */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Frame } from '../contract/frame';
import { Fault } from '../fault/fault';
import { ignoreMissing, isTemporary, readFrameFile, writeFrameFile } from './frame-file';
import { parseSpoolName, spoolName } from './names';
import { OwnFolders } from './own-folders';

/** Linux only; on other systems a full disk costs frames. */
const SHARED_MEMORY = '/dev/shm';
/** Two hundred pictures of 300 KB, and the default size in a container. */
export const MEMORY_BYTES = 64 * 1024 * 1024;

/** The unit in which tmpfs allocates memory. */
const PAGE_BYTES = 4096;
/** Milliseconds for which a count of the files is good enough; longer if counting takes long, by the factor below. */
const COUNT_MS = 1000;
const COUNT_TIMES = 50;

/**
 * The folder that belongs to a spool, the same for all processes and whatever links lead to the spool; undefined if
 * the system has no such memory.
 */
export function memoryFolderOf(spoolDir: string, uid = process.geteuid?.() ?? 0): string | undefined {
  if (!existsSync(SHARED_MEMORY)) return undefined;
  const name = createHash('sha256')
    .update(realPath(path.resolve(spoolDir)))
    .digest('hex')
    .slice(0, 16);
  // Not os.userInfo(): in a container the user may be a number without a name, for which that throws.
  return path.join(SHARED_MEMORY, `vigil-${uid}-${name}`);
}

/** The real path, also of a file that does not exist yet. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(realPath(parent), path.basename(file));
  }
}

export class MemoryFolder {
  readonly #folders: OwnFolders;
  #heldBytes = 0;
  #countAgainMs = 0;

  constructor(
    dir: string,
    private readonly maxBytes = MEMORY_BYTES,
  ) {
    this.#folders = new OwnFolders(dir);
  }

  /** Sentences about folders of other users found where this user's are. */
  get refused(): readonly string[] {
    return this.#folders.refused;
  }

  /** @throws Fault `spool-full` when the folder has reached its bound */
  async write(frame: Frame, bytes: Buffer): Promise<void> {
    const folder = this.#folders.open();
    await this.#count();
    const held = this.#heldBytes;
    if (held + pagesOf(bytes.length) > this.maxBytes)
      throw new Fault('spool-full', `${held} bytes wait in memory already (at most ${this.maxBytes})`);
    await writeFrameFile(fileIn(folder, frame), bytes);
    this.#heldBytes += pagesOf(bytes.length);
  }

  /** Searches for the frame: it may be here if the disk has no file of its name. */
  async read(frame: Frame): Promise<Buffer | undefined> {
    const name = `camera ${frame.camera}: ${spoolName(frame)} in memory`;
    for (const folder of this.#folders.find()) {
      const bytes = await readFrameFile(fileIn(folder, frame), frame.bytes, name);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  /** @param look whether to search for folders again, or only in those found or written last */
  async remove(frame: Frame, look: boolean): Promise<void> {
    for (const folder of look ? this.#folders.find() : this.#folders.known)
      await unlink(fileIn(folder, frame)).catch(ignoreMissing);
  }

  /** All frames, in no order. */
  async list(): Promise<Frame[]> {
    return (await this.#names()).flatMap(([, name]) => {
      const dot = name.indexOf('.');
      return dot < 1 ? [] : (parseSpoolName(name.slice(0, dot), name.slice(dot + 1)) ?? []);
    });
  }

  /** Paths of half-written files. */
  async temporaries(): Promise<string[]> {
    return (await this.#names())
      .filter(([, name]) => isTemporary(name))
      .map(([folder, name]) => path.join(folder, name));
  }

  /** Removes a camera's files left half-written by a crash. */
  async clean(camera: string): Promise<void> {
    const own = (await this.temporaries()).filter((file) => path.basename(file).startsWith(`.${camera}.`));
    await Promise.all(own.map((file) => unlink(file).catch(ignoreMissing)));
  }

  /** Removes the folders if nothing is left in them. */
  async close(): Promise<void> {
    for (const folder of this.#folders.find()) await rmdir(folder).catch(() => undefined);
  }

  /**
   * Other processes write and remove here too, and checking thousands of small frames takes longer than
   * writing one: so they are counted only occasionally. Others may meanwhile exceed the bound, by a second's
   * pictures.
   */
  async #count(): Promise<void> {
    const startedMs = performance.now();
    if (startedMs < this.#countAgainMs) return;
    this.#heldBytes = (await this.list()).reduce((sum, { bytes }) => sum + pagesOf(bytes), 0);
    const tookMs = performance.now() - startedMs;
    this.#countAgainMs = startedMs + Math.max(COUNT_MS, COUNT_TIMES * tookMs);
  }

  /** Folder and name of each regular file. */
  async #names(): Promise<(readonly [string, string])[]> {
    const all: (readonly [string, string])[] = [];
    for (const folder of this.#folders.find()) {
      const entries = (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
      for (const entry of entries) if (entry.isFile()) all.push([folder, entry.name]);
    }
    return all;
  }
}

function fileIn(folder: string, frame: Frame): string {
  return path.join(folder, `${frame.camera}.${spoolName(frame)}`);
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
