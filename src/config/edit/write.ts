/**
 * Atomically replaces the configuration that was read, and only if no other process has written it meanwhile.
 * The lock file beside it, created exclusively as git does, keeps out other writers of ours in any process.
 */
import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBoundedBytes } from '../content';
import { EditFault } from './fault';

/** Milliseconds another writer is waited for. */
const WAIT_MS = 2000;
const LOOK_MS = 20;
/** A lock this old was left by a killed process: a write takes milliseconds. */
const STALE_MS = 10_000;
/** Mode bits that permit writing. */
const WRITABLE = 0o222;

/**
 * Replaces `file`, through symbolic links, by `after`; its mode and owner stay. The bytes are on the disk when this resolves.
 * @param before what was read from it
 * @throws EditFault `changed-meanwhile`, `read-only`, `disk-full`, `busy`, `cannot-write`
 */
export async function replaceUnchanged(file: string, before: Buffer, after: Buffer): Promise<void> {
  try {
    const real = await realpath(file);
    await throwIfReadOnly(file, real);
    await locked(real, async (lock) => {
      await fill(lock, real, after);
      if (!(await readBoundedBytes(real)).equals(before)) throw changedMeanwhile(file);
      await rename(lock, real);
    });
    await syncFolder(path.dirname(real));
  } catch (error) {
    throw error instanceof EditFault ? error : writeFault(file, error as NodeJS.ErrnoException);
  }
}

export function changedMeanwhile(file: string): EditFault {
  return new EditFault(
    'changed-meanwhile',
    `${file} was changed meanwhile; nothing was written: look at it as it is now, then repeat the edit`,
  );
}

/** Root may write to everything: a file without write permission is meant to stay unchanged. */
async function throwIfReadOnly(file: string, real: string): Promise<void> {
  const { mode } = await stat(real);
  await access(real, constants.W_OK).catch((cause: unknown) => {
    throw readOnly(file, cause);
  });
  if ((mode & WRITABLE) === 0) throw readOnly(file);
}

function readOnly(file: string, cause?: unknown): EditFault {
  return new EditFault(
    'read-only',
    `${file} is read-only for this process; allow its user to write to the file and its folder, or edit it by hand`,
    [],
    { cause },
  );
}

/** `write` gets the path of a lock file, which it renames or which is removed. */
async function locked(real: string, write: (lock: string) => Promise<void>): Promise<void> {
  const lock = path.join(path.dirname(real), `.${path.basename(real)}.lock`);
  await take(lock);
  try {
    await write(lock);
  } catch (error) {
    await rm(lock, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function take(lock: string): Promise<void> {
  const untilMs = performance.now() + WAIT_MS;
  for (;;) {
    try {
      const handle = await open(lock, 'wx', 0o600);
      await handle.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = await stat(lock).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(lock, { force: true });
    else if (performance.now() > untilMs)
      throw new EditFault('busy', `another process is writing the configuration (${lock}); try again`);
    else await sleep(LOOK_MS);
  }
}

async function fill(lock: string, real: string, after: Buffer): Promise<void> {
  const { mode, uid, gid } = await stat(real);
  const handle = await open(lock, 'r+');
  try {
    const own = await handle.stat();
    if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.writeFile(after);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Some file systems cannot sync a folder; the file itself has been written. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // See above.
  }
}

function writeFault(file: string, cause: NodeJS.ErrnoException): EditFault {
  const { code = 'unknown error' } = cause;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EditFault('disk-full', `${file} cannot be written: the disk is full (${code})`, [], { cause });
  if (code === 'EROFS' || code === 'EACCES') return readOnly(file, cause);
  const why = WHY[code] ?? `(${code})`;
  return new EditFault('cannot-write', `${file} cannot be replaced ${why}`, [], { cause });
}

const WHY: Readonly<Record<string, string>> = {
  EPERM: 'without changing its owner (EPERM); make it a file of the user that Vigil runs as',
  EBUSY: 'as it is a mount of its own (EBUSY); mount its folder instead',
  ENOENT: '(ENOENT): it is not there any more',
};
