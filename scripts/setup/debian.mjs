/** Installs Debian packages, on Debian, Ubuntu and their kin, as root or with a sudo that asks for no password. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SetupFailure } from './failure.mjs';
import { runStep, say, showLastLines } from './step.mjs';

const INSTALL_SCRIPT = path.join(path.dirname(fileURLToPath(import.meta.url)), 'install-debian.sh');
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const LISTS = '/var/lib/apt/lists';
/** As long as apt itself waits for dpkg's lock in `install-debian.sh`. */
const LOCK_WAIT_MS = 300_000;
const LOCK_RETRY_MS = 5000;

/** @returns {string[]} those of `packages` that are not fully installed */
export function notInstalled(packages) {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...packages], {
    encoding: 'utf8',
  });
  const installed = new Set((query.stdout ?? '').split('\n'));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

/** @returns {string[] | undefined} what to put before a command to run it as root; undefined when we may not */
export function findPrivilege() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Downloads first, which may be interrupted at any time; then installs, which may not.
 * @param {string} byHand the command to name when it fails
 * @throws SetupFailure when apt-get fails
 */
export async function installDebianPackages(packages, privilege, byHand) {
  const names = packages.join(' ');
  const download = () =>
    aptGet(
      `downloading ${names}`,
      ['install', '-y', '--no-install-recommends', '--download-only', ...packages],
      privilege,
    );
  const update = () => aptGet('updating the package lists (apt-get update)', ['update'], privilege);

  // An existing list is usually good enough; an outdated one names files that the mirror no longer has.
  let result = haveLists() ? await download() : undefined;
  if (result?.code !== 0) {
    if (result !== undefined) say('the package lists may be outdated; trying again with new ones');
    await update();
    result = await download();
  }
  if (result.code === 0) {
    const command = [...privilege, 'sh', INSTALL_SCRIPT, POLICY_FILE, ...packages];
    result = await runStep(`installing ${names}`, command, { privilege, uninterruptible: true });
  }
  if (result.code === 0) return;
  showLastLines(result.output);
  throw new SetupFailure(`apt-get could not install ${names}; it says why above. By hand: ${byHand}`);
}

/** Waits for another running apt: apt-get itself waits only for dpkg's lock. */
async function aptGet(title, args, privilege) {
  const options = ['-o', `DPkg::Lock::Timeout=${LOCK_WAIT_MS / 1000}`, '-o', 'Acquire::Retries=2'];
  // LC_ALL: one of its messages is searched for below.
  const command = [...privilege, 'env', 'LC_ALL=C', 'apt-get', ...options, ...args];
  const giveUpAt = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const result = await runStep(title, command, { privilege });
    if (result.code === 0 || !result.output.includes('Could not get lock') || Date.now() > giveUpAt)
      return result;
    say('another apt is at work; trying again when it may have ended');
    await sleep(LOCK_RETRY_MS);
  }
}

function haveLists() {
  try {
    return readdirSync(LISTS).some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}
