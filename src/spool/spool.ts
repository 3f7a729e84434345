/**
 * The durable outbox between cameras and store: `<spool>/<camera>/<name>`, a file for every frame that is not
 * yet confirmed; in `confirmed/` those that wait for Redis to have them on disk; in `damaged/` files for a
 * person to examine.
 */
import { readdir, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import { CAMERA_ID_PATTERN, type Frame } from '../contract/frame';
import { Fault, type FaultRecord } from '../fault/fault';
import { Leftovers } from './leftovers';
import {
  ignoreMissing,
  isTemporary,
  openFolder,
  readFrameFile,
  removeFile,
  writeFrameFile,
} from './frame-file';
import { freeBytesOf, FreeSpace } from './free-space';
import { MEMORY_BYTES, MemoryFolder, memoryFolderOf } from './memory-folder';
import { parseSpoolName, spoolName } from './names';
import { throwOnForeignFolder } from './ownership';

const CAMERA_ID = new RegExp(CAMERA_ID_PATTERN);
/** Number of damaged files kept for each camera, the newest. */
const MAX_DAMAGED = 4;
const MEMORY_TEXT = `${MEMORY_BYTES / 1_048_576} MiB at most`;

/** Frames in one place, oldest first. */
export interface SpooledFrames {
  readonly waiting: readonly Frame[];
  readonly confirmed: readonly Frame[];
}

export class Spool {
  readonly #memory: MemoryFolder | undefined;
  readonly #space: FreeSpace;
  readonly #leftovers: Leftovers;
  /** Paths of the files that the last listing found half-written. */
  #temporaries: string[] = [];

  /**
   * @param memoryDir folder in memory for frames that the disk does not accept; none if undefined
   * @param minFreeBytes with less free space, nothing is written to the disk; queried each time, as an edit may change it
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    private readonly dir: string,
    memoryDir: string | undefined = memoryFolderOf(dir),
    private readonly minFreeBytes = () => 0,
    now?: () => number,
  ) {
    this.#leftovers = new Leftovers(now);
    this.#memory = memoryDir === undefined ? undefined : new MemoryFolder(memoryDir);
    this.#space = new FreeSpace(dir, minFreeBytes);
  }

  /** Creates a camera's folder and removes files left half-written by a crash; if the disk refuses, `write` reports it. */
  async openCamera(camera: string): Promise<void> {
    const folder = path.join(this.dir, camera);
    await this.#clean(folder).catch(() => undefined);
    await this.#memory?.clean(camera).catch(() => undefined);
  }

  /**
   * Once this resolves, no crash of any process loses the picture. If the disk does not accept it, or has too
   * little space left, it is written to memory, and the result is the reason.
   * @throws Fault `spool-full` if neither accepted it
   */
  async write(frame: Frame, bytes: Buffer): Promise<FaultRecord | undefined> {
    const refusal = await this.#writeToDisk(frame, bytes);
    if (refusal === undefined) return undefined;
    if (this.#memory === undefined)
      throw new Fault('spool-full', `cannot write to the spool (${refusal.message})`);
    try {
      await this.#memory.write(frame, bytes);
    } catch (error) {
      const why = reasonOf(error);
      throw new Fault('spool-full', `cannot write to the spool (${refusal.message}) or to memory (${why})`);
    }
    const message = `cannot write to the spool (${refusal.message}); buffering in memory, ${MEMORY_TEXT}`;
    return { code: refusal.code, message };
  }

  /**
   * The picture's bytes; undefined when the file has gone.
   * @throws Fault `damaged-frame` if its size is not that in its name; `spool-read` if it cannot be read,
   * which may be temporary
   */
  async read(frame: Frame): Promise<Buffer | undefined> {
    const name = `camera ${frame.camera}: ${spoolName(frame)} in the spool`;
    try {
      const bytes = await readFrameFile(this.#path(frame), frame.bytes, name);
      return bytes ?? (await this.#memory?.read(frame));
    } catch (error) {
      // A failing disk cannot report that a file is missing.
      const bytes = await this.#memory?.read(frame);
      if (bytes !== undefined) return bytes;
      throw error;
    }
  }

  /** Reads a confirmed frame. */
  async readConfirmed(frame: Frame): Promise<Buffer | undefined> {
    const name = `camera ${frame.camera}: ${spoolName(frame)} of the confirmed frames`;
    return readFrameFile(this.#path(frame, 'confirmed'), frame.bytes, name);
  }

  async remove(frame: Frame): Promise<void> {
    const wasOnDisk = await removeFile(this.#path(frame)).catch(async (error: unknown) => {
      await this.#memory?.remove(frame, true);
      throw error;
    });
    await this.#memory?.remove(frame, !wasOnDisk);
  }

  async removeConfirmed(frame: Frame): Promise<void> {
    await removeFile(this.#path(frame, 'confirmed'));
  }

  /** Marks a frame as confirmed and keeps it. A frame that is only in memory is not worth keeping, and is deleted. */
  async confirm(frame: Frame): Promise<void> {
    const wasOnDisk = await this.#move(frame, 'confirmed').then(() => true, ignoreMissing);
    await this.#memory?.remove(frame, wasOnDisk !== true);
  }

  /** Sets a damaged file aside so that it can be examined; removes it if there is no space. */
  async setAside(frame: Frame): Promise<void> {
    await this.#move(frame, 'damaged').catch(() => undefined);
    await this.remove(frame);
    const folder = path.join(this.dir, frame.camera, 'damaged');
    await throwOnForeignFolder(folder).catch(ignoreMissing);
    const old = (await readdir(folder).catch(() => [])).sort().slice(0, -MAX_DAMAGED);
    await Promise.all(old.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
  }

  /**
   * All frames in the spool: those only in memory first, then camera by camera.
   * @throws Fault `spool-read`, after all the rest, if a part of it could not be listed
   */
  async *list(): AsyncGenerator<SpooledFrames> {
    this.#temporaries = [];
    const faults: string[] = [];
    const attempt = async <T>(list: () => Promise<T>): Promise<T | undefined> =>
      list().catch((error: unknown) => {
        faults.push(error instanceof Error ? error.message : String(error));
        return undefined;
      });
    const inMemory = (await attempt(() => this.inMemory())) ?? [];
    if (inMemory.length > 0) yield { waiting: inMemory, confirmed: [] };
    for (const camera of (await attempt(() => this.#cameras())) ?? []) {
      const frames = await attempt(() => this.#listCamera(camera));
      if (frames !== undefined) yield frames;
    }
    if (faults.length > 0) throw new Fault('spool-read', several(faults));
  }

  /** Frames that wait in memory and not on the disk, oldest first. */
  async inMemory(): Promise<Frame[]> {
    this.#temporaries.push(...((await this.#memory?.temporaries()) ?? []));
    return ((await this.#memory?.list()) ?? []).sort((a, b) => a.capturedAt - b.capturedAt);
  }

  /** Removes half-written files of the last listing that are no longer being written, and empty folders of removed cameras. */
  async removeLeftovers(): Promise<void> {
    await this.#leftovers.removeFiles([...new Set(this.#temporaries)]);
    await this.#leftovers.removeFolders(this.dir, await this.#cameras().catch(() => []));
  }

  /** Sentences about files of other users that the last listing found in the spool; they are not used. */
  get foreign(): readonly string[] {
    return this.#memory?.refused ?? [];
  }

  /** Bytes the disk has left for this user; undefined if it does not report them. */
  async freeBytes(): Promise<number | undefined> {
    return freeBytesOf(this.dir);
  }

  /** Leaves no empty folder behind in memory. */
  async close(): Promise<void> {
    await this.#memory?.close();
  }

  async #writeToDisk(frame: Frame, bytes: Buffer): Promise<FaultRecord | undefined> {
    if (await this.#space.isLow()) {
      const message = `the disk has less than spool.minFreeBytes (${this.minFreeBytes()}) left`;
      return { code: 'spool-low', message };
    }
    try {
      await writeFrameFile(this.#path(frame), bytes);
      return undefined;
    } catch (error) {
      return { code: 'spool-disk', message: reasonOf(error) };
    }
  }

  async #clean(folder: string): Promise<void> {
    await openFolder(folder);
    const leftovers = (await readdir(folder)).filter(isTemporary);
    await Promise.all(leftovers.map((name) => unlink(path.join(folder, name)).catch(() => undefined)));
  }

  async #move(frame: Frame, folder: 'confirmed' | 'damaged'): Promise<void> {
    const target = this.#path(frame, folder);
    const source = this.#path(frame);
    await throwOnForeignFolder(path.dirname(source));
    await openFolder(path.dirname(target));
    await rename(source, target);
  }

  async #cameras(): Promise<string[]> {
    await throwOnForeignFolder(this.dir, true).catch(ignoreMissing);
    const entries = (await readdir(this.dir, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
    return entries
      .filter((entry) => entry.isDirectory() && CAMERA_ID.test(entry.name))
      .map(({ name }) => name);
  }

  async #listCamera(camera: string): Promise<SpooledFrames> {
    return {
      waiting: await this.#listFolder(camera),
      confirmed: await this.#listFolder(camera, 'confirmed'),
    };
  }

  async #listFolder(camera: string, name = ''): Promise<Frame[]> {
    const folder = path.join(this.dir, camera, name);
    await throwOnForeignFolder(folder).catch(ignoreMissing);
    const entries = (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
    const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    this.#temporaries.push(...names.filter(isTemporary).map((temporary) => path.join(folder, temporary)));
    return names.sort().flatMap((file) => parseSpoolName(camera, file) ?? []);
  }

  #path(frame: Frame, folder = ''): string {
    return path.join(this.dir, frame.camera, folder, spoolName(frame));
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return error instanceof Fault ? message : (code ?? message);
}

function several([first = '', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} (and ${more.length} more)`;
}
