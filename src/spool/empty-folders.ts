/** Removes the folders of cameras that write no more: those that were taken out of the configuration leave them behind. */
import { lstat, rmdir } from 'node:fs/promises';
import path from 'node:path';

/** Milliseconds since its last change after which a folder is nobody's. A camera that writes again makes its own anew. */
export const UNUSED_MS = 600_000;

/** Never rejects: a folder with anything in it stays, and so does one that the disk does not let go. */
export async function removeEmptyFolders(dir: string, cameras: readonly string[]): Promise<void> {
  for (const camera of cameras) {
    const folder = path.join(dir, camera);
    const found = await lstat(folder).catch(() => undefined);
    // The clock may have been set back.
    if (found === undefined || Math.abs(Date.now() - found.mtimeMs) < UNUSED_MS) continue;
    for (const empty of [path.join(folder, 'confirmed'), path.join(folder, 'damaged'), folder])
      await rmdir(empty).catch(() => undefined);
  }
}
