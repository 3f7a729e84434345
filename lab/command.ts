/** A command of the program, run to its end. */
import { spawnSync } from 'node:child_process';
import { MAIN } from './daemon';

/** @returns exit code, null where a signal or 30 s ended it, and what it wrote */
export function vigil(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...env, NODE_OPTIONS: '' },
  });
  return { status, stdout, stderr };
}
