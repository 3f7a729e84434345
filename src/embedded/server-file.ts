/** The ports of an embedded server, kept with its data so that clients find it again after a restart. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SERVER_FILE } from '../config/endpoints-file';
import { OWNER_ONLY, replaceFileSync } from '../os/replace-file';

export interface ServiceMemory {
  readonly port: number;
  readonly distPort?: number;
  readonly epmdPort?: number;
}

/** What was stored in the server's folder; undefined if the folder is new, or the file is damaged. */
export function readServiceMemory(dir: string): ServiceMemory | undefined {
  try {
    return JSON.parse(readFileSync(path.join(dir, SERVER_FILE), 'utf8')) as ServiceMemory;
  } catch {
    return undefined;
  }
}

/**
 * A new password for every start of a daemon: while none ran, another user of the machine may have listened
 * on the port, and a waiting client may have sent the previous password there.
 */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

export function writeServiceMemory(dir: string, memory: ServiceMemory): void {
  replaceFileSync(path.join(dir, SERVER_FILE), JSON.stringify(memory), OWNER_ONLY);
}
