/**
 * The newest picture of each camera, for viewers: `<spool>/<camera>/newest/<name>`, a hard link to a file of the spool,
 * which stays when the frame is delivered and its file removed. In the camera's folder, so that it is on the same disk.
 */
import { link, mkdir, readdir, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from '../contract/frame';
import { ignoreMissing, readFrameFile } from './frame-file';
import { parseSpoolName, spoolName } from './names';
import { throwOnForeignFolder } from './ownership';

export const NEWEST = 'newest';
/** A picture is replaced while it is being opened: so often the next is taken. */
const TRIES = 5;

function folderOf(spoolDir: string, camera: string): string {
  return path.join(spoolDir, camera, NEWEST);
}

/** The link of one camera, for the process that writes its frames. */
export class NewestLink {
  readonly #folder: string;
  #name: string | undefined;

  constructor(
    private readonly spoolDir: string,
    private readonly camera: string,
  ) {
    this.#folder = folderOf(spoolDir, camera);
  }

  /** Goes on with what a process before this one has left. Never rejects. */
  async open(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    this.#name = names.sort().pop();
    await Promise.all(names.map((name) => unlink(path.join(this.#folder, name)).catch(() => undefined)));
  }

  /** Two system calls. Viewers are not worth a fault of a camera: never rejects. */
  async set(frame: Frame): Promise<void> {
    const [name, before] = [spoolName(frame), this.#name];
    const [file, target] = [path.join(this.spoolDir, this.camera, name), path.join(this.#folder, name)];
    try {
      await link(file, target).catch(async (error: unknown) => {
        if (await this.#isThere()) throw error;
        await link(file, target);
      });
      this.#name = name;
      if (before !== undefined && before !== name) await unlink(path.join(this.#folder, before));
    } catch {
      // The frame is in memory alone, or delivered already. What is there says how old it is.
    }
  }

  /** False when the folder had to be made. */
  async #isThere(): Promise<boolean> {
    return (await mkdir(this.#folder, { recursive: true, mode: 0o700 })) === undefined;
  }
}

/**
 * A camera's newest picture; undefined where there is none.
 * @throws Fault `spool-foreign` when another user may write there, `spool-read` or `damaged-frame`; the file system's error
 */
export async function readNewest(
  spoolDir: string,
  camera: string,
): Promise<{ frame: Frame; bytes: Buffer } | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const frame = await newestFrame(spoolDir, camera);
    if (frame === undefined) return undefined;
    const file = path.join(folderOf(spoolDir, camera), spoolName(frame));
    const bytes = await readFrameFile(file, frame.bytes, `the newest picture of ${camera}`);
    if (bytes !== undefined) return { frame, bytes };
  }
  return undefined;
}

/** What is known of it without its bytes. */
export async function newestFrame(spoolDir: string, camera: string): Promise<Frame | undefined> {
  const folder = folderOf(spoolDir, camera);
  try {
    await throwOnForeignFolder(folder);
    const names = await readdir(folder);
    const frames = names.flatMap((name) => parseSpoolName(camera, name) ?? []);
    return frames.reduce<Frame | undefined>(
      (newest, frame) => (newest === undefined || frame.sequence > newest.sequence ? frame : newest),
      undefined,
    );
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return undefined;
  }
}

/** Removes the folder, with the picture of a camera that writes no more. @throws the file system's error */
export async function removeNewest(cameraFolder: string): Promise<void> {
  const folder = path.join(cameraFolder, NEWEST);
  await throwOnForeignFolder(folder);
  for (const name of await readdir(folder)) await unlink(path.join(folder, name));
  await rmdir(folder);
}
