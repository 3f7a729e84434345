/** Which Redis the confirmed frames were last given to: remembered across restarts of the store, which change nothing there. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** No name of a camera. */
const FILE = '.redis-run-id';

export interface KnownServer {
  /** {@link Persistence.runId}; undefined where none is known. */
  runId: string | undefined;
}

/** Kept in the spool beside its frames. Where that cannot be written, they are stored again once too often. */
export class ServerOnDisk implements KnownServer {
  #runId: string | undefined;
  readonly #file: string;

  constructor(spoolDir: string) {
    this.#file = path.join(spoolDir, FILE);
    try {
      this.#runId = readFileSync(this.#file, 'utf8');
    } catch {
      // The first run, or one that could not write it.
    }
  }

  get runId(): string | undefined {
    return this.#runId;
  }

  set runId(runId: string | undefined) {
    this.#runId = runId;
    try {
      writeFileSync(this.#file, runId ?? '', { mode: 0o600 });
    } catch {
      // As said above.
    }
  }
}
