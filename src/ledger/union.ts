/** The ledger of a fleet: the union of its nodes' ledgers, with each period once. Pure. */
import { REASONS, STATES, type Fate } from './fate';
import type { RecordedAccount, RecordedEvent } from './record';
import { Runs } from './runs';
import type { Recorded } from './summary';

/** Stronger states come later: a picture confirmed by one node counts as confirmed, whatever others recorded for its period. */
const RISING = STATES.toReversed();
const UNOWNED: Fate = { state: 'gap', reason: REASONS.unowned };

/** Periods of one length of a camera. */
interface Group {
  readonly id: RecordedAccount['id'];
  readonly parts: Runs[];
  readonly first: number;
  readonly last: number;
}

/**
 * Confirmed takes precedence over waiting, dropped and gap, in this order. Periods for which every node
 * records only that the camera may have been elsewhere are gaps with the reason `unowned`, so that the sums
 * equal the time from a camera's first record to its last.
 */
export function unionOf(ledgers: readonly Recorded[]): Recorded {
  const groups = groupsOf(ledgers.flatMap(({ accounts }) => accounts));
  const lastAt = ledgers.map((ledger) => ledger.lastAt).filter((at) => at !== undefined);
  return {
    accounts: groups.map((group) => ({ id: group.id, runs: united(group, groups), toldThrough: -1 })),
    events: ledgers.flatMap(({ events }): readonly RecordedEvent[] => events).sort((a, b) => a.at - b.at),
    lastAt: lastAt.length === 0 ? undefined : Math.max(...lastAt),
    unreadable: ledgers.reduce((sum, { unreadable }) => sum + unreadable, 0),
  };
}

function groupsOf(accounts: readonly RecordedAccount[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { id, runs } of accounts) {
    const [first, last] = [runs.all[0]?.first, runs.last?.last];
    if (first === undefined || last === undefined) continue;
    const name = `${id.camera} ${id.periodMs}`;
    const group = groups.get(name) ?? { id, parts: [], first, last };
    groups.set(name, {
      ...group,
      parts: [...group.parts, runs],
      first: Math.min(group.first, first),
      last: Math.max(group.last, last),
    });
  }
  return [...groups.values()];
}

function united(group: Group, groups: readonly Group[]): Runs {
  const runs = new Runs();
  // Periods without a record count as unowned, unless periods of another length cover that time.
  if (!groups.some((other) => overlaps(other, group))) runs.assign(group.first, group.last, UNOWNED);
  const all = group.parts.flatMap((part) => part.all);
  for (const { first, last, fate } of all) if (isElsewhere(fate)) runs.assign(first, last, UNOWNED);
  for (const state of RISING)
    for (const { first, last, fate } of all)
      if (fate.state === state && !isElsewhere(fate)) runs.assign(first, last, fate);
  return runs;
}

function isElsewhere(fate: Fate): boolean {
  return fate.state === 'gap' && fate.reason === REASONS.elsewhere;
}

function overlaps(a: Group, b: Group): boolean {
  if (a.id.camera !== b.id.camera || a.id.periodMs === b.id.periodMs) return false;
  const [of, other] = [a.id.periodMs, b.id.periodMs];
  return a.first * of < (b.last + 1) * other && b.first * other < (a.last + 1) * of;
}
