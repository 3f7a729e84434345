/**
 * The lines of a ledger file: JSON, one record each. An account is introduced with a number of its own; then lines give
 * the fates of periods, grouped over accounts that share them: `{"at":…,"confirmed":[["0-7",1795381133,1795381133]]}`.
 */
import type { AccountIdentity } from './account';
import { reasonOf, STATES, type Fate, type State } from './fate';
import type { Run } from './runs';

export type Line =
  | ({ readonly account: number } & AccountIdentity)
  /** An event for all cameras; `byMs`: how much the clock was set, `keys`: how many keys Redis has evicted. */
  | { readonly at: number; readonly event: LedgerEvent; readonly byMs?: number; readonly keys?: number }
  | ({ readonly at: number; readonly told?: readonly Told[] } & {
      readonly [S in State]?: readonly RunEntry[];
    });

export type LedgerEvent = 'started' | 'stopped' | 'clock-set' | 'evicted';
/** Numbers of accounts such as "0-2,5"; first and last sequence; the reason of what is dropped or a gap. */
type RunEntry =
  | readonly [accounts: string, first: number, last: number]
  | readonly [accounts: string, first: number, last: number, reason: string];
/** Gaps of the account up to this sequence have been reported. */
type Told = readonly [account: number, sequence: number];

export interface NumberedRuns {
  readonly account: number;
  readonly runs: readonly Run[];
}

/** One line for runs of many accounts; undefined if there is nothing to write. */
export function encodeRuns(
  at: number,
  changes: readonly NumberedRuns[],
  told: readonly Told[],
): Line | undefined {
  const groups = new Map<string, { run: Run; accounts: number[] }>();
  for (const { account, runs } of changes)
    for (const run of runs) {
      const key = `${run.first} ${run.last} ${run.fate.state} ${reasonOf(run.fate) ?? ''}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { run, accounts: [account] });
      else group.accounts.push(account);
    }
  if (groups.size === 0 && told.length === 0) return undefined;
  const entries = (state: State): RunEntry[] =>
    [...groups.values()].filter(({ run }) => run.fate.state === state).map(runEntry);
  const byState = STATES.map((state) => [state, entries(state)] as const).filter(([, of]) => of.length > 0);
  return { at, ...Object.fromEntries(byState), ...(told.length === 0 ? {} : { told }) };
}

function runEntry({ run, accounts }: { run: Run; accounts: readonly number[] }): RunEntry {
  const reason = reasonOf(run.fate);
  const numbers = encodeNumbers(accounts);
  return reason === undefined ? [numbers, run.first, run.last] : [numbers, run.first, run.last, reason];
}

/** The runs of a line that {@link encodeRuns} made. */
export function decodeRuns(line: Line): NumberedRuns[] {
  if (!('at' in line) || 'event' in line) return [];
  return STATES.flatMap((state) =>
    (line[state] ?? []).flatMap(([accounts, first, last, reason]) => {
      const runs = [{ first, last, fate: fateOf(state, reason) }];
      return decodeNumbers(accounts).map((account) => ({ account, runs }));
    }),
  );
}

function fateOf(state: State, reason = 'unknown'): Fate {
  return state === 'confirmed' || state === 'waiting' ? { state } : { state, reason };
}

/** [0, 1, 2, 5] -> "0-2,5" */
export function encodeNumbers(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

export function decodeNumbers(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
