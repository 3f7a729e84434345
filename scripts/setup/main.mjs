/** The steps of the set-up, in order. Each checks whether there is work before it does any. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIsCurrent, build } from './build.mjs';
import { dependenciesAreCurrent, installDependencies } from './dependencies.mjs';
import { EXIT_USAGE, SetupFailure } from './failure.mjs';
import { withLock } from './lock.mjs';
import { ensureProgramsForStart, ensureProgramsForTest } from './programs.mjs';
import { say } from './step.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {string[]} args `start` or `test`, then what the daemon will be given */
export async function main([purpose, ...daemonArgs]) {
  try {
    if (purpose !== 'start' && purpose !== 'test')
      throw new SetupFailure('usage: node scripts/setup.mjs start|test [daemon arguments]', EXIT_USAGE);
    await ensurePackageIsBuilt();
    await (purpose === 'test' ? ensureProgramsForTest(root) : ensureProgramsForStart(root, daemonArgs));
  } catch (error) {
    say(error instanceof SetupFailure ? error.message : unexpected(error));
    process.exitCode = error.exitCode ?? 1;
  }
}

/** The lock is taken only when there is work, and the check is repeated under it: another process may have done the work. */
async function ensurePackageIsBuilt() {
  if (dependenciesAreCurrent(root) && buildIsCurrent(root)) return;
  await withLock(root, async (lock) => {
    if (!dependenciesAreCurrent(root)) await installDependencies(root, lock);
    if (!buildIsCurrent(root)) await build(root, lock);
  });
}

/** File system errors say enough by themselves; anything else is a fault of these scripts and shows where. */
function unexpected(error) {
  return error.syscall === undefined ? `fault in the set-up: ${error.stack}` : `${error.message}`;
}
