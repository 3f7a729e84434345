/** Programs that end with the process that started them, however that process ends. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Absolute path of a program on PATH, or undefined. */
export function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): string | undefined {
  return searchPath
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * The command line that runs `program` so that the kernel sends it `signal` when this process, its parent, dies
 * (prctl(2), PR_SET_PDEATHSIG), and so that nothing it runs gains privileges by set-user-ID or file capabilities
 * (PR_SET_NO_NEW_PRIVS). Without setpriv (util-linux) the program is run unchanged.
 */
export function dieWithParent(signal: 'KILL' | 'TERM', { program, args }: CommandLine): CommandLine {
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return { program, args };
  return { program: setpriv, args: ['--no-new-privs', '--pdeathsig', signal, '--', program, ...args] };
}

/** A shell's PPID is its parent at its start (POSIX), and $0 here the one expected. */
const RUN_FOR_ITS_PARENT = '[ "$PPID" = "$0" ] && exec "$@"';

/**
 * Like {@link dieWithParent}, for programs that nothing else would end: the kernel sends no signal if the
 * parent died before setpriv requested it, so the parent is checked afterwards.
 */
export function liveWithParent(signal: 'KILL' | 'TERM', { program, args }: CommandLine): CommandLine {
  if (findProgram('setpriv') === undefined) return { program, args };
  const shell = ['-c', RUN_FOR_ITS_PARENT, String(process.pid), program, ...args];
  return dieWithParent(signal, { program: '/bin/sh', args: shell });
}
