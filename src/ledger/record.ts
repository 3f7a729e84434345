/** The contents of ledger files, read line by line. */
import { Account, type AccountIdentity } from './account';
import { decodeRuns, encodeRuns, type Line } from './lines';
import { Runs } from './runs';

export interface RecordedAccount {
  readonly id: AccountIdentity;
  readonly runs: Runs;
  toldThrough: number;
}

export type RecordedEvent = Extract<Line, { event: unknown }>;

export class LedgerRecord {
  readonly #accounts = new Map<string, RecordedAccount>();
  readonly #events: RecordedEvent[] = [];
  /** Accounts by their numbers in the file that is being read. */
  #numbered = new Map<number, RecordedAccount>();
  #lastAt: number | undefined;
  #unreadable = 0;

  get accounts(): readonly RecordedAccount[] {
    return [...this.#accounts.values()];
  }

  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  /** When the last line was written, milliseconds since the epoch. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Number of lines that were not records: a killed daemon may leave its last one torn. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Reads a file that follows those read before. */
  read(text: string): void {
    this.beginFile();
    this.readOn(text);
  }

  /** Everything read from now on is from another file. */
  beginFile(): void {
    this.#numbered = new Map();
  }

  /** Reads whole lines of the same file. */
  readOn(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.#readLine(line);
  }

  /** The same records in as few lines as possible: for a file whose hour is over. */
  compact(): Line[] {
    const accounts = this.accounts;
    const told = accounts
      .map(({ toldThrough }, account) => [account, toldThrough] as const)
      .filter(([, toldThrough]) => toldThrough >= 0);
    const runs = accounts.map((recorded, account) => ({ account, runs: recorded.runs.all }));
    const fates = this.#lastAt === undefined ? undefined : encodeRuns(this.#lastAt, runs, told);
    return [
      ...accounts.map(({ id }, account) => ({ account, ...id })),
      ...this.#events,
      ...(fates === undefined ? [] : [fates]),
    ];
  }

  /** The accounts, to continue with. */
  toAccounts(): Account[] {
    return this.accounts.map((recorded) => new Account(recorded.id, recorded));
  }

  #readLine(text: string): void {
    try {
      this.#apply(JSON.parse(text) as Line);
    } catch {
      this.#unreadable++;
    }
  }

  #apply(line: Line): void {
    if ('account' in line) {
      this.#introduce(line);
      return;
    }
    this.#lastAt = line.at;
    if ('event' in line) {
      this.#events.push(line);
      return;
    }
    for (const { account, runs } of decodeRuns(line))
      for (const { first, last, fate } of runs) this.#numbered.get(account)?.runs.assign(first, last, fate);
    for (const [account, sequence] of line.told ?? []) {
      const recorded = this.#numbered.get(account);
      if (recorded !== undefined) recorded.toldThrough = Math.max(recorded.toldThrough, sequence);
    }
  }

  #introduce({ account, ...id }: Extract<Line, { account: unknown }>): void {
    const key = `${id.camera} ${id.openedAt} ${id.periodMs}`;
    const recorded = this.#accounts.get(key) ?? { id, runs: new Runs(), toldThrough: -1 };
    this.#accounts.set(key, recorded);
    this.#numbered.set(account, recorded);
  }
}
