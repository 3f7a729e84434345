/** One picture in one file: whole or absent, and recognised when it is not. */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../fault/fault';
import { foreignness, throwOnForeignFolder, WRITABLE_BY_OTHERS } from './ownership';

const TEMPORARY = /^\..*\.tmp$/;
/** Links are not followed, and a pipe without a writer does not block the reader. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Writes by temporary file and rename; a missing folder is created, accessible only to its owner.
 * @throws Fault `spool-foreign` when the folder is not this user's
 */
export async function writeFrameFile(file: string, bytes: Buffer): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.tmp`);
  await openFolder(folder);
  try {
    await writeNew(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    // On a full disk, half a picture would only take space from the next.
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Creates the folder if it is missing. Checked for every frame: that takes 0.04 of the 0.7 ms of processor time of writing 100 kB,
 * while a check every few seconds would miss anything put there in between.
 */
export async function openFolder(folder: string): Promise<void> {
  await throwOnForeignFolder(folder).catch(async (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await throwOnForeignFolder(folder);
  });
}

/** Replaces a file of that name left by a crash, and never writes into it as `os/replace-file` does: it may be a link. */
async function writeNew(file: string, bytes: Buffer): Promise<void> {
  const write = () => writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
  await write().catch(async (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await unlink(file);
    await write();
  });
}

/**
 * The picture's bytes; undefined if the file has disappeared.
 * @param name the file in a sentence
 * @throws Fault `damaged-frame` if its size is wrong; `spool-read` if it cannot be read, which proves
 * nothing about the picture (rights, a failing or remote disk, a shortage of this process) and may be temporary,
 * or if it belongs to another user
 */
export async function readFrameFile(file: string, size: number, name: string): Promise<Buffer | undefined> {
  let handle: FileHandle | undefined;
  try {
    await throwOnForeignFolder(path.dirname(file));
    handle = await open(file, READ);
    return await readWhole(handle, size, name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (isMissing(code)) return undefined;
    if (code === 'damaged-frame') throw error;
    const why = error instanceof Fault ? message : (code ?? message);
    throw new Fault('spool-read', `${name} cannot be read (${why}); it stays there and is tried again`);
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

async function readWhole(handle: FileHandle, size: number, name: string): Promise<Buffer> {
  const found = await handle.stat();
  const why = foreignness(found, { kind: 'file', mode: WRITABLE_BY_OTHERS, root: true });
  if (why !== undefined) throw new Fault('spool-foreign', `it ${why}`);
  if (found.size !== size)
    throw new Fault('damaged-frame', `${name} has ${found.size} bytes and is set aside`);
  const bytes = Buffer.allocUnsafeSlow(size);
  const { bytesRead } = await handle.read(bytes, 0, size, 0);
  if (bytesRead < size) throw new Error(`only ${bytesRead} bytes came`);
  return bytes;
}

/** False if there was no such file. */
export async function removeFile(file: string): Promise<boolean> {
  try {
    await unlink(file);
    return true;
  } catch (error) {
    // A disk that has become read-only refuses (EROFS) before it checks whether the file exists.
    const found = await lstat(file).catch(ignoreMissing);
    if (found !== undefined) throw error;
    return false;
  }
}

/** Whether a name is that of a half-written file. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** For removing a file that may have gone already. */
export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (!isMissing(error.code)) throw error;
  return undefined;
}

function isMissing(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
