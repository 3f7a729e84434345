/** One set-up at a time in one clone: `npm start` and `npm test` would tear down each other's node_modules. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runStep, say } from './step.mjs';

const WAITING = 'waiting for another set-up in this folder';

/**
 * @typedef {object} Lock
 * @property {number} [descriptor] a command that inherits it keeps the lock for its own lifetime
 *
 * @param {string} root folder that is locked
 * @param {(lock: Lock) => Promise<void>} work
 */
export async function withLock(root, work) {
  const descriptor = openSync(root, 'r');
  try {
    const locked = await flock(descriptor);
    await (locked ? work({ descriptor }) : withClaim(path.join(root, '.setup-lock'), work));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The kernel's lock on the folder itself: leaves no file behind, and ends with the last process that holds it.
 * flock(1) locks the open file description it shares with us, so the lock stays when the program has gone.
 * @returns {Promise<boolean>} false where there is no such program, or the file system has no such locks
 */
async function flock(descriptor) {
  const stdio = ['ignore', 'ignore', 'ignore', descriptor];
  const { status } = spawnSync('flock', ['-n', '3'], { stdio });
  if (status !== 1) return status === 0;
  const { code } = await runStep(WAITING, ['flock', '3'], { lock: { descriptor } });
  return code === 0;
}

/**
 * Elsewhere, a folder of claims, one file per process id. Whoever lists the folder after making his claim and finds
 * no other living one has the lock; of two at the same moment at least one sees the other and withdraws.
 */
async function withClaim(folder, work) {
  const own = path.join(folder, String(process.pid));
  let told = false;
  for (;;) {
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(own, '');
    } catch (error) {
      if (error.code === 'ENOENT') continue; // Removed by a process that has just finished.
      throw error;
    }
    const others = livingClaims(folder);
    if (others.length === 0) break;
    rmSync(own, { force: true });
    if (!told) say(`${WAITING} (process ${others.join(', ')}; if there is none, remove ${folder})`);
    told = true;
    await sleep(300 + Math.random() * 400);
  }
  try {
    await work({});
  } finally {
    rmSync(own, { force: true });
    removeIfEmpty(folder);
  }
}

function livingClaims(folder) {
  const others = readdirSync(folder).filter((pid) => pid !== String(process.pid));
  return others.filter((pid) => {
    if (isAlive(Number(pid))) return true;
    rmSync(path.join(folder, pid), { force: true });
    return false;
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // It runs, as another user.
  }
}

function removeIfEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch {
    // Another process waits in the folder, and will remove it.
  }
}
