/**
 * Removes what is no longer used: files left half-written by a process that has ended, and empty folders of cameras that are not
 * configured any more. A path counts as unused if it has not changed while it was observed for long enough: file times prove nothing
 * if a clock was set.
 */
import { lstat, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

/** Milliseconds; a picture is written in far less. */
export const HALF_WRITTEN_MS = 15_000;
/** Milliseconds. A camera that writes again creates its folder again. */
export const UNUSED_MS = 600_000;

interface Seen {
  readonly mtimeMs: number;
  /** When it was first seen with that time. */
  readonly sinceMs: number;
}

export class Leftovers {
  #files = new Map<string, Seen>();
  #folders = new Map<string, Seen>();

  /** @param now milliseconds of a monotonic clock */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param files all files that are half-written now */
  async removeFiles(files: readonly string[]): Promise<void> {
    const [unused, seen] = await this.#look(files, this.#files, HALF_WRITTEN_MS);
    this.#files = seen;
    for (const file of unused) await unlink(file).catch(() => undefined);
  }

  /** A folder with contents stays, and so does one that cannot be removed. @param cameras all that have a folder now */
  async removeFolders(dir: string, cameras: readonly string[]): Promise<void> {
    const folders = cameras.map((camera) => path.join(dir, camera));
    const [unused, seen] = await this.#look(folders, this.#folders, UNUSED_MS);
    this.#folders = seen;
    for (const folder of unused)
      for (const empty of [path.join(folder, 'confirmed'), path.join(folder, 'damaged'), folder])
        await rmdir(empty).catch(() => undefined);
  }

  /** Paths that have not changed for this long, and the observations of all paths. */
  async #look(
    paths: readonly string[],
    before: ReadonlyMap<string, Seen>,
    forMs: number,
  ): Promise<[string[], Map<string, Seen>]> {
    const nowMs = this.now();
    const seen = new Map<string, Seen>();
    for (const each of paths) {
      const found = await lstat(each).catch(() => undefined);
      if (found === undefined) continue;
      const last = before.get(each);
      seen.set(each, last?.mtimeMs === found.mtimeMs ? last : { mtimeMs: found.mtimeMs, sinceMs: nowMs });
    }
    const unused = [...seen].filter(([, { sinceMs }]) => nowMs - sinceMs >= forMs).map(([each]) => each);
    return [unused, seen];
  }
}
