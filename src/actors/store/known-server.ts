/** Which Redis the confirmed frames were last written to: remembered across restarts of the store, which change nothing in Redis. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A name that no camera can have. */
const FILE = '.redis-run-id';

export interface KnownServer {
  /** {@link Persistence.runId}; undefined if none is known. */
  runId: string | undefined;
}

/** Kept in the spool beside its frames. If it cannot be written, they are stored again once more than necessary. */
export class ServerOnDisk implements KnownServer {
  #runId: string | undefined;
  readonly #file: string;

  constructor(spoolDir: string) {
    this.#file = path.join(spoolDir, FILE);
    try {
      this.#runId = readFileSync(this.#file, 'utf8');
    } catch {
      // The first run, or a run after a failed write.
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
      // Then frames are stored again once more than necessary.
    }
  }
}
