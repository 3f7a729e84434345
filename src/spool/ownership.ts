/** Checks the owner of files and folders: those that another local user created or may change are not part of a spool. */
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { Fault } from '../fault/fault';

/** Modes of files and folders that must not be used. */
export const WRITABLE_BY_OTHERS = 0o002;
export const OPEN_TO_OTHERS = 0o077;

/**
 * Why a file or folder must not be used, as the end of a sentence that begins with its path; undefined if it
 * may be.
 * @param want `root`: one that belongs to root is accepted too, as root can do all that the owner can
 */
export function foreignness(
  found: Pick<Stats, 'isFile' | 'isDirectory' | 'uid' | 'mode'>,
  want: { readonly kind: 'file' | 'folder'; readonly mode: number; readonly root: boolean },
): string | undefined {
  const { uid, mode } = found;
  if (want.kind === 'file' ? !found.isFile() : !found.isDirectory())
    return want.kind === 'file' ? 'is not a regular file' : 'is not a folder';
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own && !(want.root && uid === 0))
    return `belongs to user ${uid}, not to ${own}`;
  if ((mode & want.mode) !== 0) return `is open to other users (mode ${(mode & 0o7777).toString(8)})`;
  return undefined;
}

/**
 * @param link whether the folder may be a link, by which an operator has put it elsewhere
 * @throws Fault `spool-foreign` for a folder on disk that another user created or may write to; the file
 * system's error if it cannot be checked
 */
export async function throwOnForeignFolder(folder: string, link = false): Promise<void> {
  const found = await (link ? stat(folder) : lstat(folder));
  const why = foreignness(found, { kind: 'folder', mode: WRITABLE_BY_OTHERS, root: true });
  if (why !== undefined) throw new Fault('spool-foreign', `${folder} ${why}`);
}
