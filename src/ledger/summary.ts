/** A ledger record in figures: per camera, how many periods had which fate, and the runs that were not confirmed. */
import { REASONS, reasonOf, type State } from './fate';
import type { RecordedAccount, RecordedEvent } from './record';
import type { Run } from './runs';

/** The contents of ledger files of one daemon or several. */
export interface Recorded {
  readonly accounts: readonly RecordedAccount[];
  readonly events: readonly RecordedEvent[];
  /** When the last line was written, milliseconds since the epoch. */
  readonly lastAt: number | undefined;
  /** Number of lines that were not records. */
  readonly unreadable: number;
}

export interface Coverage {
  readonly camera: string;
  /** Sampling periods; the four below add up to them. */
  readonly periods: number;
  readonly confirmed: number;
  readonly waiting: number;
  /** Number of periods by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly gap: Readonly<Record<string, number>>;
  /** Share of confirmed periods among those wanted and decided, 0 to 1; 1 if there were none. */
  readonly coverage: number;
  /** All periods that are not confirmed, as runs, oldest first. */
  readonly exceptions: readonly Exception[];
}

export interface Exception {
  readonly state: Exclude<State, 'confirmed'>;
  readonly reason?: string;
  /** ISO 8601, by the clock of that time: begin of the first period, end of the last. */
  readonly from: string;
  readonly to: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly periods: number;
}

export interface Summary {
  readonly since: string;
  /** When the last record was written. */
  readonly recordedUntil?: string;
  /** Lines of the files that could not be read. */
  readonly unreadableLines: number;
  readonly events: readonly RecordedEvent[];
  /** Keys that Redis has evicted, which may have been announced frames: those still count as confirmed. */
  readonly evicted: number;
  readonly cameras: readonly Coverage[];
}

/** @param wanted ids of the cameras to be summarized; all if absent */
export function summarize(record: Recorded, sinceMs: number, wanted?: ReadonlySet<string>): Summary {
  const accounts = record.accounts.filter(({ id }) => wanted?.has(id.camera) !== false);
  const cameras = [...new Set(accounts.map(({ id }) => id.camera))].sort();
  const events = record.events.filter(({ at }) => at >= sinceMs);
  return {
    since: new Date(sinceMs).toISOString(),
    ...(record.lastAt === undefined ? {} : { recordedUntil: new Date(record.lastAt).toISOString() }),
    unreadableLines: record.unreadable,
    events,
    evicted: events.reduce((sum, { keys = 0 }) => sum + keys, 0),
    cameras: cameras
      .map((name) => coverageOf(name, sinceMs, accountsOf(accounts, name)))
      .filter(({ periods }) => periods > 0),
  };
}

function accountsOf(accounts: readonly RecordedAccount[], camera: string): RecordedAccount[] {
  return accounts.filter(({ id }) => id.camera === camera);
}

function coverageOf(camera: string, sinceMs: number, accounts: readonly RecordedAccount[]): Coverage {
  const counted = { confirmed: 0, waiting: 0 };
  const reasons: Record<'dropped' | 'gap', Record<string, number>> = { dropped: {}, gap: {} };
  const exceptions: Exception[] = [];
  let periods = 0;
  for (const { id, runs } of accounts)
    for (const run of runs.between(Math.floor(sinceMs / id.periodMs), Infinity)) {
      const length = run.last - run.first + 1;
      const { fate } = run;
      periods += length;
      if (fate.state === 'confirmed' || fate.state === 'waiting') counted[fate.state] += length;
      else reasons[fate.state][fate.reason] = (reasons[fate.state][fate.reason] ?? 0) + length;
      if (fate.state !== 'confirmed') exceptions.push(exceptionOf(run, fate.state, id.periodMs));
    }
  const { gap } = reasons;
  const notOurs =
    (gap[REASONS.disabled] ?? 0) + (gap[REASONS.elsewhere] ?? 0) + (reasons.dropped['superseded'] ?? 0);
  const decided = periods - counted.waiting - notOurs;
  const coverage = decided <= 0 ? 1 : counted.confirmed / decided;
  return { camera, periods, ...counted, ...reasons, coverage, exceptions };
}

function exceptionOf({ first, last, fate }: Run, state: Exception['state'], periodMs: number): Exception {
  const reason = reasonOf(fate);
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    from: new Date(first * periodMs).toISOString(),
    to: new Date((last + 1) * periodMs).toISOString(),
    firstSequence: first,
    lastSequence: last,
    periods: last - first + 1,
  };
}
