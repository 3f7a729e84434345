/** Copies of the ledger files of a fleet's nodes in Redis, a key each: every node can read them, even those of dead nodes. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { filesSince, ledgerFileName, parseLedgerFileName } from '../ledger/file-names';
import type { RedisClient } from '../connections/redis';

/** How long copies are kept; the files themselves are kept longer. */
export const COPIES_KEPT_MS = 48 * 3_600_000;

/** Bytes written at once, so that frames are not delayed. */
const PIECE_BYTES = 256 * 1024;

/** How much of a file has been copied. */
export interface Copied {
  /** Changes when a file is compacted. */
  readonly inode: number;
  readonly bytes: number;
}

type Client = Pick<RedisClient, 'sadd' | 'smembers' | 'srem' | 'set' | 'setrange' | 'get' | 'pexpire'>;

export class LedgerCopies {
  constructor(
    private readonly client: Client,
    private readonly namespace: string,
  ) {}

  /**
   * Copies what was added to a ledger file since the copy described by `before`.
   * @returns undefined if the file no longer exists
   * @throws Fault of Redis, or an error of the disk
   */
  async copyFile(node: string, file: string, before?: Copied): Promise<Copied | undefined> {
    const handle = await open(file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (handle === undefined) return undefined;
    try {
      const { ino: inode, size } = await handle.stat();
      let bytes = before?.inode === inode && before.bytes <= size ? before.bytes : 0;
      while (bytes < size) {
        const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - bytes));
        const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
        if (bytesRead === 0) break;
        await this.#write(node, path.basename(file), bytes, piece.subarray(0, bytesRead));
        bytes += bytesRead;
      }
      return { inode, bytes };
    } finally {
      await handle.close();
    }
  }

  /** Continues a file's copy at byte `offset`; begins it if 0. */
  async #write(node: string, file: string, offset: number, bytes: Buffer): Promise<void> {
    const key = this.#file(node, file);
    if (offset === 0) await this.client.set(key, bytes, 'PX', COPIES_KEPT_MS);
    else await this.client.setrange(key, offset, bytes);
    await Promise.all([
      this.client.sadd(this.#nodes, node),
      this.client.sadd(this.#node(node), file),
      ...[this.#nodes, this.#node(node), key].map((each) => this.client.pexpire(each, COPIES_KEPT_MS)),
    ]);
  }

  /** Names of the nodes that have copies, sorted. */
  async nodes(): Promise<string[]> {
    return (await this.client.smembers(this.#nodes)).sort();
  }

  /** Texts of a node's copies with records since `sinceMs`, oldest first; expired copies are forgotten. */
  async read(node: string, sinceMs: number): Promise<string[]> {
    const names = await this.client.smembers(this.#node(node));
    const files = names.map(parseLedgerFileName).filter((file) => file !== undefined);
    const texts: string[] = [];
    for (const file of filesSince(
      files.sort((a, b) => a.number - b.number),
      sinceMs,
    )) {
      const name = ledgerFileName(file);
      const text = await this.client.get(this.#file(node, name));
      if (text === null) await this.client.srem(this.#node(node), name);
      // The last line may be incomplete.
      else texts.push(text.slice(0, text.lastIndexOf('\n') + 1));
    }
    return texts;
  }

  get #nodes(): string {
    return `${this.namespace}:ledger`;
  }

  #node(node: string): string {
    return `${this.namespace}:ledger:${node}`;
  }

  #file(node: string, file: string): string {
    return `${this.namespace}:ledger:${node}:${file}`;
  }
}
