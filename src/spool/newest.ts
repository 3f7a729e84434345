/**
 * The newest picture of each camera, for viewers: `<newest>/<camera>/<spool name>`, a hard link to a file of the spool,
 * which remains when the frame is delivered and its file removed.
 */
import { statSync } from 'node:fs';
import { link, mkdir, readdir, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from '../contract/frame';
import { ignoreMissing, readFrameFile } from './frame-file';
import { parseSpoolName, spoolName } from './names';
import { throwOnForeignFolder } from './ownership';

/** A picture may be replaced while it is being opened: number of tries, each with the next one. */
const TRIES = 5;

/** Beside the spool; inside it if an operator has put the spool on another disk, to which hard links are impossible. */
export function newestDirOf(spoolDir: string): string {
  const parent = path.dirname(spoolDir);
  const isOneDisk = statSync(parent).dev === statSync(spoolDir).dev;
  return isOneDisk ? path.join(parent, 'newest') : path.join(spoolDir, '.newest');
}

/** The link of one camera, for the process that writes its frames. */
export class NewestLink {
  readonly #folder: string;
  #name: string | undefined;

  constructor(
    newestDir: string,
    private readonly spoolDir: string,
    private readonly camera: string,
  ) {
    this.#folder = path.join(newestDir, camera);
  }

  /** Continues with the link that an earlier process has left. Never rejects. */
  async open(): Promise<void> {
    const names = (await readdir(this.#folder).catch(() => [])).sort();
    this.#name = names.pop();
    await Promise.all(names.map((name) => unlink(path.join(this.#folder, name)).catch(() => undefined)));
  }

  /** Takes two system calls. Never rejects: viewers must not cause a camera to fail. */
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
      // The frame is only in memory, or delivered already. The remaining picture shows its own age.
    }
  }

  /** False if the folder had to be created. */
  async #isThere(): Promise<boolean> {
    return (await mkdir(this.#folder, { recursive: true, mode: 0o700 })) === undefined;
  }
}

/**
 * A camera's newest picture; undefined if there is none.
 * @throws Fault `spool-foreign` if another user may write there, `spool-read` or `damaged-frame`; the file system's error
 */
export async function readNewest(
  newestDir: string,
  camera: string,
): Promise<{ readonly frame: Frame; readonly bytes: Buffer } | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const frame = await newestFrame(newestDir, camera);
    if (frame === undefined) return undefined;
    const file = path.join(newestDir, camera, spoolName(frame));
    const bytes = await readFrameFile(file, frame.bytes, `the newest picture of ${camera}`);
    if (bytes !== undefined) return { frame, bytes };
  }
  return undefined;
}

/** The metadata of a camera's newest picture, without reading its bytes. */
export async function newestFrame(newestDir: string, camera: string): Promise<Frame | undefined> {
  const folder = path.join(newestDir, camera);
  try {
    await throwOnForeignFolder(folder);
    const frames = (await readdir(folder)).flatMap((name) => parseSpoolName(camera, name) ?? []);
    return frames.sort((one, other) => one.sequence - other.sequence).pop();
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return undefined;
  }
}

/** Removes the pictures of all other cameras. Never rejects. */
export async function keepNewestOf(newestDir: string, cameras: ReadonlySet<string>): Promise<void> {
  const found = await readdir(newestDir).catch(() => []);
  const others = found.filter((camera) => !cameras.has(camera));
  await Promise.all(
    others.map((camera) =>
      rm(path.join(newestDir, camera), { recursive: true, force: true }).catch(() => undefined),
    ),
  );
}
