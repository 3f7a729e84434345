/** The folder in which a daemon keeps everything; held by one daemon at a time. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ENDPOINTS_FILE, type Endpoints } from '../config/endpoints-file';
import { ExitFault } from '../fault/fault';
import { startChild, whyNotStarted } from '../os/child-process';
import { findProgram } from '../os/orphans';
import { WRITABLE_BY_OTHERS } from '../spool/ownership';
import { DataFiles } from './data-files';

/** Seconds a new daemon waits for one that is about to end. */
const LOCK_WAIT_S = 10;

export class DataDirectory extends DataFiles {
  private constructor(
    dir: string,
    private readonly lock: number,
  ) {
    super(dir);
  }

  /**
   * Creates the folder if it is missing and locks it; the kernel releases the lock when the daemon ends, however it ends.
   * @param onWait called when another daemon holds it; that daemon may be about to end and is waited for
   * @throws Fault `data-directory` when it cannot be written or another daemon holds it.
   */
  static async open(dir: string, onWait: (holder: string) => void): Promise<DataDirectory> {
    const lock = openLockFile(dir);
    const holder = () => `the daemon with pid ${readFileSync(lockFile(dir), 'utf8').trim()}`;
    if (!(await lockOpenFile(lock, 0))) {
      onWait(holder());
      if (await lockOpenFile(lock, LOCK_WAIT_S)) return DataDirectory.#locked(dir, lock);
      closeSync(lock);
      throw new ExitFault(
        'data-directory',
        `data directory ${dir} is in use by ${holder()}; stop that one, or give this one another --data-dir`,
      );
    }
    return DataDirectory.#locked(dir, lock);
  }

  static #locked(dir: string, lock: number): DataDirectory {
    writeFileSync(lockFile(dir), `${process.pid}\n`);
    return new DataDirectory(dir, lock);
  }

  /** Whether every user of the machine may replace its contents. */
  get isOpenToOthers(): boolean {
    return (statSync(this.dir).mode & WRITABLE_BY_OTHERS) !== 0;
  }

  get lockFile(): string {
    return lockFile(this.dir);
  }

  writeEndpoints(endpoints: Endpoints): void {
    this.writePrivate(ENDPOINTS_FILE, endpoints);
  }

  /** Releases the folder for the next daemon; the endpoints are removed, as nothing serves them any more. */
  close(): void {
    try {
      unlinkSync(this.path(ENDPOINTS_FILE));
    } catch {
      // The file was never written.
    }
    closeSync(this.lock);
  }
}

function lockFile(dir: string): string {
  return path.join(dir, 'vigil.lock');
}

function openLockFile(dir: string): number {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    throwOnTrap(dir);
    return openSync(lockFile(dir), 'a', 0o600);
  } catch (error) {
    if (error instanceof ExitFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ExitFault(
      'data-directory',
      `data directory ${dir} cannot be written (${code ?? 'unknown error'}); give its owner's rights to this user, or another --data-dir`,
      { cause: error },
    );
  }
}

/** In a folder writable by everyone (/tmp), existing files may be a trap for passwords, sockets and pictures. */
function throwOnTrap(dir: string): void {
  for (let file = path.resolve(dir); file !== path.dirname(file); file = path.dirname(file)) {
    const parent = path.dirname(file);
    if ((statSync(parent).mode & WRITABLE_BY_OTHERS) === 0) continue;
    const { uid } = lstatSync(file);
    if (uid === 0 || uid === process.geteuid?.()) continue;
    throw new ExitFault(
      'data-directory',
      `data directory ${dir}: ${file} belongs to user ${uid}, and everybody may make such a folder in ${parent}; give this daemon another --data-dir`,
    );
  }
}

/**
 * flock(1) locks the open file it inherits. The lock stays with this process after flock has ended, as it belongs to
 * the open file description (flock(2)). Node opens files close-on-exec, so no child of ours keeps it.
 */
async function lockOpenFile(fd: number, waitS: number): Promise<boolean> {
  const flock = findProgram('flock');
  if (flock === undefined)
    throw new ExitFault(
      'missing-program',
      'flock is missing: it keeps two daemons out of one data directory; install util-linux',
    );
  const child = startChild(flock, ['-w', String(waitS), '3'], {
    // The daemon's environment may contain passwords.
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(
        new ExitFault(
          'data-directory',
          `flock, which locks the data directory, cannot be run: ${whyNotStarted(cause)}`,
          { cause },
        ),
      ),
    );
    child.once('exit', (code) => resolve(code === 0));
  });
}
