/**
 * Gives the data of a daemon that ran as root to the user it runs as from now on. Root descends only into folders that no other
 * user can change: in any other, a link could lead it to files of the system.
 */
import { randomBytes } from 'node:crypto';
import { lchownSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { UserAccount } from '../os/user-account';
import { ExitFault } from '../fault/fault';
import { memoryFolderOf } from '../spool/memory-folder';
import { DATA_NAMES } from './data-files';
import { OwnFolders } from '../spool/own-folders';

/** Temporary files begin with these names, too. */
const OWN = new Set<string>(DATA_NAMES);
const WRITABLE_BY_MORE_THAN_ITS_OWNER = 0o022;

/**
 * Creates the data directory if it is missing, and hands it over with everything in it that belongs to root. A directory that
 * does not belong to root is left unchanged.
 * @throws ExitFault `data-directory`
 */
export function handOverData(dir: string, account: UserAccount): void {
  try {
    const made = mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (made !== undefined) handOver(made, account);
    else handOverExisting(realpathSync(dir), account);
    handOverMemory(path.join(dir, 'spool'), account);
  } catch (error) {
    if (error instanceof ExitFault) throw error;
    const { message } = error as Error;
    throw new ExitFault(
      'data-directory',
      `data directory ${dir} cannot be given to user "${account.name}" (${message}); run chown -R ${account.name} on it, or give another --data-dir`,
      { cause: error },
    );
  }
}

function handOverExisting(dir: string, account: UserAccount): void {
  if (lstatSync(dir).uid !== 0) return;
  const other = readdirSync(dir).find((name) => !OWN.has(name.replace(/^\.|\.tmp$/g, '')));
  if (other !== undefined)
    throw new ExitFault(
      'data-directory',
      `data directory ${dir} belongs to root and holds more than Vigil's data (${other}), so it is not given to user "${account.name}"; run chown ${account.name} on it, or give another --data-dir`,
    );
  handOver(dir, account);
}

/** Contents first: an interrupted walk is started again. Links are handed over, never followed. */
function handOver(file: string, account: UserAccount): void {
  const found = lstatSync(file);
  if (found.uid !== 0) return;
  if (found.isDirectory()) {
    if ((found.mode & WRITABLE_BY_MORE_THAN_ITS_OWNER) !== 0)
      throw new ExitFault(
        'data-directory',
        `${file} belongs to root and others may write to it, so it is not given to user "${account.name}"; run chmod go-w on it, or give another --data-dir`,
      );
    for (const name of readdirSync(file)) handOver(path.join(file, name), account);
  }
  lchownSync(file, account.uid, account.gid);
}

/** Hands over frames waiting in memory, and renames their folder, as its name contains the user. */
function handOverMemory(spoolDir: string, account: UserAccount): void {
  const [from, to] = [memoryFolderOf(spoolDir, 0), memoryFolderOf(spoolDir, account.uid)];
  if (from === undefined || to === undefined) return;
  for (const folder of new OwnFolders(from).find()) {
    handOver(folder, account);
    try {
      renameSync(folder, to);
    } catch {
      // The folder exists already, or frames of this user wait in it.
      renameSync(folder, `${to}.${randomBytes(3).toString('hex')}`);
    }
  }
}
