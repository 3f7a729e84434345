/** One picture in one file: whole or absent, and recognised when it is not. */
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../protocol/fault';

/** Of this process or machine at this moment; they say nothing about the file. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
const TEMPORARY = /^\..*\.tmp$/;

/** Writes by temporary file and rename; a folder that is absent is made, for its owner alone. */
export async function writeFrameFile(file: string, bytes: Buffer): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
  try {
    await writeNew(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    // On a full disk half a picture would only take room from the next.
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeNew(file: string, bytes: Buffer): Promise<void> {
  const write = () => writeFile(file, bytes, { mode: 0o600 });
  await write().catch(async (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await write();
  });
}

/**
 * The picture's bytes; undefined when the file has gone.
 * @param name the file in a sentence
 * @throws Fault `damaged-frame` when it cannot be read, or has not the size it should have; `spool-read` when that may
 * be otherwise in a moment
 */
export async function readFrameFile(file: string, size: number, name: string): Promise<Buffer | undefined> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (SHORTAGES.has(code ?? ''))
      throw new Fault('spool-read', `${name} cannot be read now (${code ?? message})`);
    throw new Fault('damaged-frame', `${name} cannot be read (${code ?? message}) and is set aside`);
  });
  if (bytes === undefined || bytes.length === size) return bytes;
  throw new Fault('damaged-frame', `${name} has ${String(bytes.length)} bytes and is set aside`);
}

/** Whether a name is that of a file half-written. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** For removing what may have gone already. */
export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  return undefined;
}
