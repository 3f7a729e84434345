/** The contents of a daemon's data directory: names, and private files that are replaced as a whole. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { OWNER_ONLY, replaceFileSync } from '../os/replace-file';

/** Everything a daemon creates in it. */
export const DATA_NAMES = [
  ...['spool', 'newest', 'ledger', 'black-box', 'compile-cache', 'replaced-configuration'],
  ...['redis', 'rabbitmq', 'etcd'],
  ...['queues.json', 'http.json', 'notices.json', 'endpoints.json', 'fleet-configuration.json'],
  ...['vigil.sock', 'vigil.lock'],
] as const;
export type DataName = (typeof DATA_NAMES)[number];

export class DataFiles {
  constructor(readonly dir: string) {}

  path(name: DataName, ...parts: string[]): string {
    return path.join(this.dir, name, ...parts);
  }

  /** The subfolder, created if it is missing. */
  folder(name: DataName): string {
    const folder = this.path(name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** Atomically replaces a JSON file that only its owner may read. */
  writePrivate(name: DataName, value: unknown): void {
    this.writePrivateText(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** @param inside the name of a file, if `name` is a folder */
  writePrivateText(name: DataName, text: string, ...inside: string[]): void {
    replaceFileSync(this.path(name, ...inside), text, OWNER_ONLY);
  }
}
