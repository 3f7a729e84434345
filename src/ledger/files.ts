/** The ledger on disk, `<data>/ledger/`: one file an hour, appended to and compacted when the hour is over. */
import { mkdir, open, readdir, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { OWNER_ONLY, replaceFile } from '../os/replace-file';
import type { Account } from './account';
import { filesSince, hourOf, ledgerFileName, parseLedgerFileName, type LedgerFile } from './file-names';
import type { AccountChanges } from './ledger';
import { encodeRuns, type Line } from './lines';
import { LedgerRecord } from './record';

export interface LedgerBounds {
  /** Files of this many hours are kept. */
  readonly keepHours: number;
  /** Maximum number of bytes of all files together. */
  readonly maxBytes: number;
}

/** A file is closed before its hour is over when it reaches this share of `maxBytes`. */
const FILE_SHARE = 1 / 8;

/** The records in the files since `sinceMs`; empty if there are none. */
export async function readLedger(dir: string, sinceMs: number): Promise<LedgerRecord> {
  const record = new LedgerRecord();
  for (const file of filesSince(await listLedgerFiles(dir), sinceMs))
    record.read((await readFile(path.join(dir, ledgerFileName(file)), 'utf8').catch(ignoreMissing)) ?? '');
  return record;
}

export class LedgerFiles {
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** Whether the last line may be torn: the daemon was killed, or the disk was full, during the write. */
  #torn = true;
  #tidied = false;
  /** Numbers of accounts in this file. */
  readonly #numbers = new Map<Account, number>();

  private constructor(
    private readonly dir: string,
    public bounds: LedgerBounds,
    private file: LedgerFile,
  ) {}

  /** Continues the file of this hour, or begins one after the existing ones. */
  static async open(dir: string, bounds: LedgerBounds, wallMs: number): Promise<LedgerFiles> {
    const newest = (await listLedgerFiles(dir)).at(-1);
    const hour = hourOf(wallMs);
    const file = newest?.hour === hour ? newest : { number: (newest?.number ?? 0) + 1, hour };
    return new LedgerFiles(dir, bounds, file);
  }

  /** Throws if the disk does not accept it; the caller must then write the same again. */
  async write(at: number, changes: readonly AccountChanges[], events: readonly Line[]): Promise<void> {
    await this.#roll(at);
    const introductions: Line[] = [];
    const numberOf = (account: Account): number => {
      const known = this.#numbers.get(account);
      if (known !== undefined) return known;
      const number = this.#numbers.size;
      this.#numbers.set(account, number);
      introductions.push({ account: number, ...account.id });
      return number;
    };
    const fates = encodeRuns(
      at,
      changes.map(({ account, runs }) => ({ account: numberOf(account), runs })),
      changes.flatMap(({ account, toldThrough }) =>
        toldThrough === undefined ? [] : [[numberOf(account), toldThrough] as const],
      ),
    );
    const lines = [...introductions, ...events, ...(fates === undefined ? [] : [fates])];
    if (lines.length > 0) await this.#append(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    this.#torn = true;
    try {
      this.#handle ??= await this.#openFile();
      await this.#handle.appendFile(bytes);
    } catch (error) {
      // The lines that were lost may have introduced accounts.
      this.#numbers.clear();
      throw error;
    }
    this.#torn = false;
    this.#bytes += bytes.length;
  }

  async #openFile(): Promise<FileHandle> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const handle = await open(path.join(this.dir, ledgerFileName(this.file)), 'a', 0o600);
    this.#bytes = (await handle.stat()).size;
    return handle;
  }

  async #roll(wallMs: number): Promise<void> {
    const hour = hourOf(wallMs);
    if (hour !== this.file.hour || this.#bytes > this.bounds.maxBytes * FILE_SHARE) {
      await this.close();
      this.file = { number: this.file.number + 1, hour };
      this.#bytes = 0;
      this.#numbers.clear();
      this.#tidied = false;
    }
    if (this.#tidied) return;
    // Tried once an hour: a failure must not prevent records from being written.
    this.#tidied = true;
    await this.#tidy();
  }

  /** Compacts the previous file, and removes those beyond the bounds. */
  async #tidy(): Promise<void> {
    const names = (await readdir(this.dir).catch(ignoreMissing)) ?? [];
    for (const name of names.filter((file) => file.endsWith('.tmp')))
      await rm(path.join(this.dir, name), { force: true });
    const files = (await listLedgerFiles(this.dir)).filter(({ number }) => number < this.file.number);
    const hours = new Set([this.file.hour]);
    let bytes = 0;
    for (const file of files.reverse()) {
      const name = path.join(this.dir, ledgerFileName(file));
      if (bytes === 0) await compactFile(name);
      hours.add(file.hour);
      bytes += (await stat(name)).size;
      if (hours.size > this.bounds.keepHours || bytes > this.bounds.maxBytes) await rm(name);
    }
  }
}

async function compactFile(name: string): Promise<void> {
  const record = new LedgerRecord();
  record.read(await readFile(name, 'utf8'));
  const text = record.compact().map((line) => `${JSON.stringify(line)}\n`);
  await replaceFile(name, text.join(''), OWNER_ONLY);
}

/** The files in the order in which they were begun. */
export async function listLedgerFiles(dir: string): Promise<LedgerFile[]> {
  const names = (await readdir(dir).catch(ignoreMissing)) ?? [];
  return names
    .map(parseLedgerFileName)
    .filter((file) => file !== undefined)
    .sort((a, b) => a.number - b.number);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
