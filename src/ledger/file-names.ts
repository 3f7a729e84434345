/** Names of ledger files: they sort in the order of creation, whatever the clock was, and show the hour to people. */

const HOUR_MS = 3_600_000;
const NAME = /^(\d{8})_(\d{4}-\d\d-\d\dT\d\d)Z\.jsonl$/;

export interface LedgerFile {
  /** Counts up from file to file: a clock that is set back does not change their order. */
  readonly number: number;
  /** The hour in which it was begun, counted from the epoch. */
  readonly hour: number;
}

export function hourOf(wallMs: number): number {
  return Math.floor(wallMs / HOUR_MS);
}

export function ledgerFileName({ number, hour }: LedgerFile): string {
  const text = new Date(hour * HOUR_MS).toISOString().slice(0, 13);
  return `${String(number).padStart(8, '0')}_${text}Z.jsonl`;
}

export function parseLedgerFileName(name: string): LedgerFile | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  return { number: Number(match[1]), hour: hourOf(Date.parse(`${match[2] ?? ''}:00:00Z`)) };
}

/** The files with records since `sinceMs`: from the first that was begun in that hour or later. */
export function filesSince(files: readonly LedgerFile[], sinceMs: number): LedgerFile[] {
  const first = files.findIndex(({ hour }) => hour >= hourOf(sinceMs));
  // The newest is always read: it may have been begun long ago.
  return files.slice(first === -1 ? -1 : first);
}
