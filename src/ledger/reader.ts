/** Reads ledger files while a daemon writes them; parts already read are not read again. */
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { filesSince, ledgerFileName, type LedgerFile } from './file-names';
import { listLedgerFiles } from './files';
import { LedgerRecord, type RecordedAccount } from './record';

/** Bytes read at once: other work runs between two pieces. */
const PIECE_BYTES = 1024 * 1024;
const HOUR_MS = 3_600_000;

interface Place {
  readonly file: LedgerFile;
  /** Changes when a file is compacted. */
  readonly inode: number;
  /** Bytes that were read, up to a line's end. */
  readonly bytes: number;
}

export class LedgerReader {
  #record = new LedgerRecord();
  #sinceMs = Infinity;
  /** When this record was begun, by a monotonic clock. */
  #builtAtMs = 0;
  #place: Place | undefined;

  constructor(
    private readonly dir: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** All accounts since `sinceMs`, by camera. Must not be called again before it has resolved. */
  async accountsSince(sinceMs: number): Promise<ReadonlyMap<string, readonly RecordedAccount[]>> {
    await this.#readOn(sinceMs);
    const byCamera = new Map<string, RecordedAccount[]>();
    for (const account of this.#record.accounts) {
      const { camera } = account.id;
      const others = byCamera.get(camera);
      if (others === undefined) byCamera.set(camera, [account]);
      else others.push(account);
    }
    return byCamera;
  }

  async #readOn(sinceMs: number): Promise<void> {
    const files = filesSince(await listLedgerFiles(this.dir), sinceMs);
    const newest = files.at(-1);
    if (newest === undefined) {
      this.#forget(sinceMs);
      return;
    }
    const place = this.#place;
    // Reads again for an earlier time, and occasionally to drop what is older than any request.
    const isKnown =
      place !== undefined &&
      sinceMs >= this.#sinceMs &&
      this.now() - this.#builtAtMs < HOUR_MS &&
      place.file.number === newest.number &&
      place.inode === (await inodeOf(this.#path(newest)));
    if (isKnown) {
      await this.#readFile(newest, place.bytes);
      return;
    }
    this.#forget(sinceMs);
    for (const file of files) await this.#readFile(file, 0);
  }

  #forget(sinceMs: number): void {
    this.#record = new LedgerRecord();
    this.#sinceMs = sinceMs;
    this.#builtAtMs = this.now();
    this.#place = undefined;
  }

  async #readFile(file: LedgerFile, from: number): Promise<void> {
    const handle = await open(this.#path(file)).catch((error: unknown) => {
      // The oldest file is removed when the ledger exceeds its bounds.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (handle === undefined) return;
    try {
      const { ino, size } = await handle.stat();
      let bytes = from;
      if (from === 0) this.#record.beginFile();
      while (bytes < size) {
        const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - bytes));
        const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
        const end = piece.lastIndexOf(0x0a, bytesRead - 1) + 1;
        // The last line is still being written; no line is as long as a piece.
        if (end === 0) break;
        this.#record.readOn(piece.toString('utf8', 0, end));
        bytes += end;
        await setImmediate();
      }
      this.#place = { file, inode: ino, bytes };
    } finally {
      await handle.close();
    }
  }

  #path(file: LedgerFile): string {
    return path.join(this.dir, ledgerFileName(file));
  }
}

async function inodeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
