/**
 * Replaces a file atomically: a reader sees either the old file or the new one. The bytes are not synced to the disk, so after
 * a power failure either may be there. If it fails, the old file stays and the temporary one is removed.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface ReplaceOptions {
  /** Mode of the new file; by default 0666 less the umask. */
  readonly mode?: number;
  /** Distinguishes the temporary files of processes that may replace the file at the same time. */
  readonly writer?: number;
}

/** A file that only its owner may read. */
export const OWNER_ONLY = { mode: 0o600 } as const;

/** @throws Error of the file system */
export async function replaceFile(
  file: string,
  content: string | Buffer,
  { mode, writer }: ReplaceOptions = {},
): Promise<void> {
  const temporary = temporaryOf(file, writer);
  try {
    await writeFile(temporary, content, { mode });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** The same, synchronously. */
export function replaceFileSync(
  file: string,
  content: string | Buffer,
  { mode, writer }: ReplaceOptions = {},
): void {
  const temporary = temporaryOf(file, writer);
  try {
    writeFileSync(temporary, content, { mode });
    renameSync(temporary, file);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

/** Beside the file: a rename does not cross file systems. A killed process leaves it to be overwritten. */
function temporaryOf(file: string, writer?: number): string {
  const suffix = writer === undefined ? 'tmp' : `${writer}.tmp`;
  return path.join(path.dirname(file), `.${path.basename(file)}.${suffix}`);
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The first fault is the one to report.
  }
}
