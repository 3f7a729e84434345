/** Names of the queues that Vigil has declared, kept from one process to the next: the current one first, then old ones. */
import { readFileSync } from 'node:fs';
import { OWNER_ONLY, replaceFileSync } from '../os/replace-file';

/** A file that is not a list of names (of another origin) is ignored, and so is a missing one. */
export function readQueueNames(file: string | undefined): string[] {
  try {
    const names: unknown = JSON.parse(readFileSync(file ?? '', 'utf8'));
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** If that is not possible (a full disk, say), the file stays unchanged. */
export function writeQueueNames(file: string, names: readonly string[]): void {
  try {
    replaceFileSync(file, JSON.stringify(names), OWNER_ONLY);
  } catch {
    // Without the file, an old queue is known only while this process runs.
  }
}
