/** Writes a file that a command was asked for, whole or not at all. */
import { ExitFault } from '../fault/fault';
import { replaceFile } from '../os/replace-file';

/** @throws ExitFault `cannot-save` */
export async function saveFile(file: string, bytes: Buffer): Promise<void> {
  try {
    await replaceFile(file, bytes, { writer: process.pid });
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ExitFault('cannot-save', `${file} cannot be written (${why})`, { cause });
  }
}
