/** Finds processes that outlive their parent, and dead ones that are not reaped. */
import { below, type ProcessRow } from '../process-table';

/** Milliseconds from the daemon's death until a process of its tree has to be gone. */
export interface Limits {
  /** A server saves its data first. */
  readonly serverMs: number;
  readonly otherMs: number;
  /** Milliseconds a dead child may wait for its parent, which may be busy or stopped. */
  readonly zombieMs: number;
}

export const LIMITS: Limits = { serverMs: 30_000, otherMs: 5000, zombieMs: 5000 };

export interface Finding {
  readonly what: 'orphan' | 'zombie';
  readonly row: ProcessRow;
}

const SERVER = /redis-server|rabbitmq|beam\.smp|erl|epmd|inet_gethost/;

export class TreeWatch {
  /** When each suspect was first seen as one. */
  #suspects = new Map<string, number>();

  constructor(private readonly limits: Limits = LIMITS) {}

  /** @param table with the tree's processes marked */
  look(table: readonly ProcessRow[], daemonPid: number | undefined, now: number): Finding[] {
    const suspects = suspectsIn(table, daemonPid);
    const since = new Map(suspects.map((suspect) => [keyOf(suspect), now]));
    for (const key of since.keys()) since.set(key, this.#suspects.get(key) ?? now);
    this.#suspects = since;
    return suspects.filter((suspect) => now - (since.get(keyOf(suspect)) ?? now) > this.#limitMs(suspect));
  }

  #limitMs({ what, row }: Finding): number {
    if (what === 'zombie') return this.limits.zombieMs;
    return SERVER.test(row.command) ? this.limits.serverMs : this.limits.otherMs;
  }
}

function suspectsIn(table: readonly ProcessRow[], daemonPid: number | undefined): Finding[] {
  const tree = new Set(daemonPid === undefined ? [] : [daemonPid, ...below(table, daemonPid).map(pidOf)]);
  const marked = new Set(table.filter((row) => row.marked).map(pidOf));
  const orphans = table.filter((row) => row.marked && row.state !== 'Z' && !tree.has(row.pid));
  // For a zombie, /proc shows neither environment nor command line, only its parent.
  const zombies = table.filter(
    ({ state, parent }) => state === 'Z' && (marked.has(parent) || tree.has(parent)),
  );
  return [
    ...orphans.map((row) => ({ what: 'orphan', row }) as const),
    ...zombies.map((row) => ({ what: 'zombie', row }) as const),
  ];
}

function pidOf({ pid }: ProcessRow): number {
  return pid;
}

function keyOf({ what, row }: Finding): string {
  return `${what} ${row.pid} ${row.startTicks}`;
}
