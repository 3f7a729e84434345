/** Ports and password of an embedded server, kept with its data so that clients keep working across restarts. */
import { randomBytes } from 'node:crypto';
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

/**
 * Kept for as long as the port is: on a port that was free while no server ran, and is taken now, another user may have
 * listened to what our clients send first.
 */
export function passwordFor(port: number, memory: ServiceMemory | undefined): string {
  return memory?.port === port ? memory.password : randomBytes(24).toString('base64url');
}

export function writeServiceMemory(dir: string, memory: ServiceMemory): void {
  writePrivate(path.join(dir, FILE), JSON.stringify(memory));
}

/** Replaces a file, at once and whole, for its owner only. */
export function writePrivate(file: string, text: string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
