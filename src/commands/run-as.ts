/** The `"user"` of a configuration: a daemon started by root switches to that user before it does anything else. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { ConfigurationError } from '../config/faults';
import { becomeAccount, findAccount, whyNotBecome } from '../os/user-account';
import { handOverData } from '../supervisor/hand-over';
import type { Places } from './options';

const PROGRAM = path.resolve(__dirname, '../main.js');
const ELSEWHERE = 'move it to where that user may read it (such as /opt), or name another user';

/**
 * @throws ConfigurationError if this process cannot become that user, or could not work as that user; Fault
 * `data-directory` if the data cannot be handed over
 */
export function runAs(name: string, { config, dataDir }: Places): void {
  const refuse = (problem: string): never => {
    throw new ConfigurationError(config, [{ path: '$.user', problem }]);
  };
  const account = findAccount(name);
  if (account === undefined) return refuse(`this machine has no user "${name}"; create it, or name another`);
  if (account.uid === process.geteuid?.()) return undefined;
  if (process.geteuid?.() !== 0)
    return refuse(
      `only a daemon that root starts can become user "${name}"; start it as root or as "${name}", or remove "user"`,
    );
  const hindrance = whyNotBecome(account);
  if (hindrance !== undefined) return refuse(`this process cannot become user "${name}" (${hindrance})`);
  handOverData(dataDir, account);
  becomeAccount(account);
  if (!isAllowed(PROGRAM, constants.R_OK))
    return refuse(`user "${name}" may not read ${PROGRAM}; ${ELSEWHERE}`);
  if (!isAllowed(process.execPath, constants.X_OK))
    return refuse(`user "${name}" may not run ${process.execPath}; ${ELSEWHERE}`);
  if (!isAllowed(config, constants.R_OK))
    return refuse(
      `user "${name}" may not read ${config}, and would not see edits of it; run chown ${name} on it`,
    );
  if (!isAllowed(dataDir, constants.W_OK | constants.X_OK))
    return refuse(
      `user "${name}" may not write to the data directory ${dataDir}; run chown -R ${name} on it, or give a --data-dir that this user can reach`,
    );
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
