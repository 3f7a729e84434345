/**
 * The durable outbox between cameras and store: `<spool>/<camera>/<name>`, a file for every frame that is not yet
 * confirmed; in `confirmed/` those that wait for Redis to have them on disk; in `damaged/` what a person may look at.
 */
import { mkdir, readdir, rename, rm, statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import { CAMERA_ID_PATTERN, type Frame } from '../contract/frame';
import type { FaultRecord } from '../protocol/fault';
import { ignoreMissing, isTemporary, readFrameFile, writeFrameFile } from './frame-file';
import { MemoryFolder, memoryFolderOf } from './memory-folder';
import { parseSpoolName, spoolName } from './names';

const CAMERA_ID = new RegExp(CAMERA_ID_PATTERN);
/** Damaged files kept of each camera, the newest. */
const MAX_DAMAGED = 4;

/** Frames that are in one place, oldest first. */
export interface SpooledFrames {
  readonly waiting: readonly Frame[];
  readonly confirmed: readonly Frame[];
}

export class Spool {
  readonly #memory: MemoryFolder | undefined;

  /** @param memoryDir where frames go that the disk does not take; none when undefined */
  constructor(
    private readonly dir: string,
    memoryDir: string | undefined = memoryFolderOf(dir),
  ) {
    this.#memory = memoryDir === undefined ? undefined : new MemoryFolder(memoryDir);
  }

  /** Makes a camera's folder and removes what a crash left half-written; a disk that refuses is met again by `write`. */
  async openCamera(camera: string): Promise<void> {
    const folder = path.join(this.dir, camera);
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
    const leftovers = (await readdir(folder).catch(() => [])).filter(isTemporary);
    await Promise.all(leftovers.map((name) => unlink(path.join(folder, name)).catch(() => undefined)));
    await this.#memory?.clean(camera).catch(() => undefined);
  }

  /**
   * Once this resolves, no crash of any process loses the picture. On a disk that takes none it goes to memory, and
   * the result says why.
   * @throws when neither took it
   */
  async write(frame: Frame, bytes: Buffer): Promise<FaultRecord | undefined> {
    try {
      await writeFrameFile(this.#path(frame), bytes);
      return undefined;
    } catch (error) {
      if (this.#memory === undefined) throw error;
      await this.#memory.write(frame, bytes);
      const { code, message } = error as NodeJS.ErrnoException;
      return {
        code: 'spool-disk',
        message: `the spool takes no pictures (${code ?? message}): they are delivered from memory, which holds few`,
      };
    }
  }

  /**
   * The picture's bytes; undefined when the file has gone.
   * @throws Fault `damaged-frame` when it cannot be read, or has not the size its name says; `spool-read` when that
   * may be otherwise in a moment
   */
  async read(frame: Frame): Promise<Buffer | undefined> {
    return (await this.#memory?.read(frame)) ?? (await this.#read(this.#path(frame), frame));
  }

  /** The same of a frame that was confirmed. */
  async readConfirmed(frame: Frame): Promise<Buffer | undefined> {
    return this.#read(this.#path(frame, 'confirmed'), frame);
  }

  async remove(frame: Frame): Promise<void> {
    await unlink(this.#path(frame)).catch(ignoreMissing);
    await this.#memory?.remove(frame);
  }

  async removeConfirmed(frame: Frame): Promise<void> {
    await unlink(this.#path(frame, 'confirmed')).catch(ignoreMissing);
  }

  /** Marks a frame as confirmed and keeps it. One that is only in memory is not worth keeping, and goes. */
  async confirm(frame: Frame): Promise<void> {
    await this.#move(frame, 'confirmed').catch(ignoreMissing);
    await this.#memory?.remove(frame);
  }

  /** Takes a damaged file out of the way, where a person can look at it; away altogether where there is no room. */
  async setAside(frame: Frame): Promise<void> {
    await this.#move(frame, 'damaged').catch(() => undefined);
    await this.remove(frame);
    const folder = path.join(this.dir, frame.camera, 'damaged');
    const old = (await readdir(folder).catch(() => [])).sort().slice(0, -MAX_DAMAGED);
    await Promise.all(old.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
  }

  /** All that is in the spool: what only memory has, then camera by camera. */
  async *list(): AsyncGenerator<SpooledFrames> {
    const inMemory = (await this.#memory?.list()) ?? [];
    if (inMemory.length > 0)
      yield { waiting: inMemory.sort((a, b) => a.capturedAt - b.capturedAt), confirmed: [] };
    const entries = await readdir(this.dir, { withFileTypes: true }).catch(ignoreMissing);
    for (const entry of entries ?? []) {
      if (!entry.isDirectory() || !CAMERA_ID.test(entry.name)) continue;
      yield {
        waiting: await this.#listFolder(entry.name),
        confirmed: await this.#listFolder(entry.name, 'confirmed'),
      };
    }
  }

  /** Bytes the disk has left for this user. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.dir);
    return bavail * bsize;
  }

  /** Leaves no empty folder behind in memory. */
  async close(): Promise<void> {
    await this.#memory?.close();
  }

  async #read(file: string, frame: Frame): Promise<Buffer | undefined> {
    return readFrameFile(file, frame.bytes, `camera ${frame.camera}: ${spoolName(frame)} in the spool`);
  }

  async #move(frame: Frame, folder: 'confirmed' | 'damaged'): Promise<void> {
    const target = this.#path(frame, folder);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await rename(this.#path(frame), target);
  }

  async #listFolder(camera: string, folder = ''): Promise<Frame[]> {
    const names = (await readdir(path.join(this.dir, camera, folder)).catch(ignoreMissing)) ?? [];
    return names.sort().flatMap((name) => parseSpoolName(camera, name) ?? []);
  }

  #path(frame: Frame, folder = ''): string {
    return path.join(this.dir, frame.camera, folder, spoolName(frame));
  }
}
