/** Copies this node's ledger files to Redis as they grow, for the other nodes of its fleet. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { COPIES_KEPT_MS, type LedgerCopies } from '../../ledger/copies';
import { ledgerFileName, hourOf } from '../../ledger/file-names';
import { listLedgerFiles } from '../../ledger/files';
import { RecurringFault } from '../../fault/recurring';
import type { Log } from '../../log/log';
import type { ClaimParameters } from '../../protocol/messages';
import type { RedisFrames } from './redis-frames';

/** Bytes that are written at once: frames have their turn in between. */
const PIECE_BYTES = 256 * 1024;
const EVERY_MS = 5000;

interface Copied {
  /** Of a file that was made compact, another. */
  readonly inode: number;
  readonly bytes: number;
}

export interface LedgerCopierOptions {
  readonly copies: Pick<LedgerCopies, 'write'>;
  readonly node: string;
  /** Where the ledger is. */
  readonly dir: string;
  /** Changes when a server was lost, and perhaps its memory with it. */
  readonly session: () => number;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

export class LedgerCopier {
  readonly #copied = new Map<string, Copied>();
  #session: number | undefined;
  #nextMs = -Infinity;

  readonly #faults: RecurringFault;

  constructor(private readonly options: LedgerCopierOptions) {
    this.#faults = new RecurringFault(options.log);
  }

  /** Of a node that copies its ledger to the Redis of its frames. */
  static of(
    { node, ledgerDir: dir }: ClaimParameters,
    redis: RedisFrames,
    log: Log,
  ): LedgerCopier | undefined {
    const { copies } = redis;
    const [session, now] = [() => redis.session, () => performance.now()];
    return copies && new LedgerCopier({ copies, node, dir, session, now, log });
  }

  /** Copies what is new, if it is time; never rejects. */
  async tick(): Promise<void> {
    const { now } = this.options;
    if (now() < this.#nextMs) return;
    this.#nextMs = now() + EVERY_MS;
    try {
      await this.#copyAll();
      this.#faults.clear('the ledger is copied to Redis again');
    } catch (error) {
      this.#faults.report({
        code: 'ledger-copy',
        message: `the ledger cannot be copied to Redis (${(error as Error).message}); until it can, ledger --fleet lacks the newest periods of this node`,
      });
    }
  }

  async #copyAll(): Promise<void> {
    const { dir, session } = this.options;
    if (this.#session !== session()) this.#copied.clear();
    this.#session = session();
    const oldest = hourOf(Date.now() - COPIES_KEPT_MS);
    const names = (await listLedgerFiles(dir)).filter(({ hour }) => hour >= oldest).map(ledgerFileName);
    for (const name of this.#copied.keys()) if (!names.includes(name)) this.#copied.delete(name);
    for (const name of names) await this.#copy(name);
  }

  async #copy(name: string): Promise<void> {
    const { copies, node, dir } = this.options;
    const handle = await open(path.join(dir, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (handle === undefined) return;
    try {
      const { ino: inode, size } = await handle.stat();
      const before = this.#copied.get(name);
      let bytes = before?.inode === inode && before.bytes <= size ? before.bytes : 0;
      while (bytes < size) {
        const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - bytes));
        const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
        if (bytesRead === 0) break;
        await copies.write(node, name, bytes, piece.subarray(0, bytesRead));
        bytes += bytesRead;
        this.#copied.set(name, { inode, bytes });
      }
    } finally {
      await handle.close();
    }
  }
}
