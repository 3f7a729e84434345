/** Users of this machine, and giving up root for one of them, for this process and all processes it starts. */
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { findProgram } from './orphans';

export interface UserAccount {
  readonly name: string;
  readonly uid: number;
  /** Id of its primary group. */
  readonly gid: number;
}

const LOOK_UP_MS = 10_000;

/** Runs id(1), which knows the users of a directory service too; undefined if no user has that name. */
export function findAccount(name: string): UserAccount | undefined {
  const [uid, gid] = [idOf('-u', name), idOf('-g', name)];
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

function idOf(kind: '-u' | '-g', name: string): number | undefined {
  const options = { encoding: 'utf8', timeout: LOOK_UP_MS, killSignal: 'SIGKILL' } as const;
  const { status, stdout } = spawnSync(findProgram('id') ?? 'id', [kind, name], options);
  return status === 0 && /^\d+\n$/.test(stdout) ? Number(stdout) : undefined;
}

/** Why this process could not become that user, for example because the container has no such number. Undefined if it can. */
export function whyNotBecome({ uid, gid }: UserAccount, version = process.versions.node): string | undefined {
  if (hasRingsOfRoot(version))
    return `Node.js ${version} would keep rights of root (CVE-2024-22017); use 20.11.1 or newer`;
  const { error } = spawnSync(findProgram('id') ?? 'id', { uid, gid, cwd: '/', stdio: 'ignore' });
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** Changes the user for good, with the groups and variables such as `HOME`. Throws the system's error. */
export function becomeAccount({ name, uid, gid }: UserAccount): void {
  // Node's types lack this method.
  (process as unknown as { initgroups(user: string, group: number): void }).initgroups(name, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  Object.assign(process.env, { HOME: userInfo().homedir, USER: name, LOGNAME: name });
}

/** Whether this version of Node uses io_uring, whose requests to the kernel would still be made as root. */
function hasRingsOfRoot(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return (
    (major === 20 && (minor < 11 || (minor === 11 && patch < 1))) ||
    (major === 21 && (minor < 6 || (minor === 6 && patch < 2)))
  );
}
