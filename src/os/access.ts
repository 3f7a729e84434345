/** Who may open a file that this user may not. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ExitFault } from '../fault/fault';

/**
 * Passes if `file` is readable, or does not exist, which the caller reports.
 * @param right the required access: to read it, or for a socket to write to it
 * @throws ExitFault `not-permitted` naming who has access
 */
export function throwIfNotPermitted(file: string, right: 'read' | 'write' = 'read'): void {
  const blocked = firstBlocked(path.resolve(file), right === 'read' ? constants.R_OK : constants.W_OK);
  if (blocked === undefined) return;
  const { uid, gid, mode } = statSync(blocked);
  const owner = nameOf('/etc/passwd', uid);
  const isForGroup = (mode & 0o050) !== 0;
  const group = isForGroup ? ` and members of group "${nameOf('/etc/group', gid)}"` : '';
  const join = isForGroup ? ', or add this user to the group' : '';
  throw new ExitFault(
    'not-permitted',
    `${blocked} is open to user "${owner}"${group} only; run this command as that user: sudo -u ${owner} ...${join}`,
  );
}

/** The first folder on the path of `file` that may not be entered, or the file itself; undefined if access is possible. */
function firstBlocked(file: string, right: number): string | undefined {
  const parent = path.dirname(file);
  const above = parent === file ? undefined : firstBlocked(parent, constants.X_OK);
  if (above !== undefined) return above;
  try {
    accessSync(file, right);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? file : undefined;
  }
}

/** The name of a user or group; its number if it has none. passwd(5), group(5) */
function nameOf(file: string, id: number): string {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return (
      lines.map((line) => line.split(':')).find(([, , number]) => number === String(id))?.[0] ?? `#${id}`
    );
  } catch {
    return `#${id}`;
  }
}
