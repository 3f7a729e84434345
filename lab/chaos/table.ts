/** The fault table as text, and what of it is not as it must be. */
import { markdownTable } from '../markdown-table';
import type { RowResult } from './run-row';

/** Resident memory of each process, whatever happens. */
const MAX_MEGABYTES = 150;
/** Share of announcements that may be repeats, over the whole table. */
const MAX_REPEATED = 0.001;
/** Share of the periods that must have been captured: a table of cameras that hardly work says nothing. */
const MIN_CAPTURED = 0.6;
/** The same of a daemon that is itself started again, cameras and all. */
const MIN_CAPTURED_RESTARTED = 0.3;
const RESTARTED: ReadonlySet<string> = new Set(['daemon-kill', 'terminal-stopped', 'data-directory-moved']);
/** Frames a killed daemon may not have written down: a second of each camera, and the one it was at. */
const LEDGER_SLACK_PER_CAMERA = 2;

/** Servers that serve again are found within this time. */
const MAX_REACTION_MS = 5000;

const HEAD = [
  'fault',
  's',
  'captured',
  'confirmed',
  'lost',
  'repeated',
  'dangling',
  'ledger off',
  'MB store/notifier/supervisor',
  'silence s',
  'servers s',
  'recovery s',
  'live p95 ms',
];

export function table(results: readonly RowResult[]): string {
  return markdownTable(HEAD, results.map(cells));
}

function cells(result: RowResult): string[] {
  const { row, seconds, captured, confirmed, lost, repeated, dangling, ledgerOff, peak } = result;
  const { recoveryMs, liveP95Ms, silenceMs, serversMs } = result;
  const memory = [peak.store, peak.notifier, peak.supervisor].map((bytes) => String(megabytes(bytes)));
  const recovery = recoveryMs === undefined ? 'never' : (recoveryMs / 1000).toFixed(1);
  const live = Number.isNaN(liveP95Ms) ? '-' : liveP95Ms.toFixed(0);
  const counts = [seconds, captured, confirmed, lost.length, repeated, dangling.length, ledgerOff].map(
    String,
  );
  const servers = serversMs === undefined ? '-' : (serversMs / 1000).toFixed(1);
  return [row, ...counts, memory.join(' / '), (silenceMs / 1000).toFixed(1), servers, recovery, live];
}

/** Sentences; empty when the table is as it must be. */
export function violations(results: readonly RowResult[], cameras: number): string[] {
  const repeated = results.reduce((sum, result) => sum + result.repeated, 0);
  const confirmed = results.reduce((sum, result) => sum + result.confirmed, 0);
  const tooMany = repeated > Math.max(1, confirmed * MAX_REPEATED);
  return [
    ...results.flatMap((result) => rowViolations(result, cameras)),
    ...(tooMany ? [`${repeated} of ${confirmed} announcements were repeats`] : []),
  ];
}

function rowViolations(result: RowResult, cameras: number): string[] {
  const { row, seconds, periods, captured, lost, dangling, damaged, sumsOff, ledgerOff, peak, recoveryMs } =
    result;
  const { silenceMs, serversMs = 0, maxSilenceMs } = result;
  const faults: string[] = [];
  const list = (what: string, names: readonly string[]) => {
    if (names.length > 0)
      faults.push(`${what} ${names.length}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`);
  };
  list('lost', lost);
  list('dangling', dangling);
  list('damaged', damaged);
  list('the sums of the ledger do not add up for', sumsOff);
  const slack = row === 'daemon-kill' ? LEDGER_SLACK_PER_CAMERA * cameras * Math.ceil(seconds / 10) : 0;
  if (ledgerOff > slack) faults.push(`${ledgerOff} consumed frames are not confirmed in the ledger`);
  if (captured < (RESTARTED.has(row) ? MIN_CAPTURED_RESTARTED : MIN_CAPTURED) * periods)
    faults.push(`of ${periods} periods only ${captured} were captured`);
  if (silenceMs > Math.max(maxSilenceMs, serversMs + MAX_REACTION_MS))
    faults.push(
      `a camera delivered nothing for ${(silenceMs / 1000).toFixed(1)} s, its servers served nobody for ${(serversMs / 1000).toFixed(1)} s`,
    );
  if (recoveryMs === undefined) faults.push('it was not as before within the time it had');
  for (const [name, bytes] of Object.entries(peak) as [string, number][])
    if (bytes === 0) faults.push(`the process of the ${name} was never seen`);
    else if (megabytes(bytes) > MAX_MEGABYTES) faults.push(`the ${name} took ${megabytes(bytes)} MB`);
  return faults.map((fault) => `${row} (${seconds} s): ${fault}`);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
