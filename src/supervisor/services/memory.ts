/** Ports and password of an embedded server, kept with its data so that clients keep working across restarts. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ServiceMemory {
  readonly port: number;
  readonly password: string;
  readonly distPort?: number;
  readonly epmdPort?: number;
}

const FILE = 'server.json';

/** What was kept in the server's folder; undefined if it is new there, or the file is damaged. */
export function readServiceMemory(dir: string): ServiceMemory | undefined {
  try {
    return JSON.parse(readFileSync(path.join(dir, FILE), 'utf8')) as ServiceMemory;
  } catch {
    return undefined;
  }
}

/** Replaces it, at once and whole, for its owner only. */
export function writeServiceMemory(dir: string, memory: ServiceMemory): void {
  const temporary = path.join(dir, `.${FILE}.tmp`);
  writeFileSync(temporary, JSON.stringify(memory), { mode: 0o600 });
  renameSync(temporary, path.join(dir, FILE));
}
