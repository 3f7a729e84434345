/** The machine's processes as reported by /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on: proc(5). */
const MS_PER_TICK = 10;

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** One letter, `Z` for one that has ended and is not reaped (proc(5)). */
  readonly state: string;
  /** Clock ticks from boot to its start: pid and this together are never used twice. */
  readonly startTicks: string;
  readonly command: string;
  /** Its environment, command line or working folder names the marker that was asked for. */
  readonly marked: boolean;
}

/** All processes; those that end while they are looked at are left out. */
export function processTable(marker?: string): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name), marker) ?? []);
}

/** Processes below `pid`, at any depth. */
export function below(table: readonly ProcessRow[], pid: number): ProcessRow[] {
  return table.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(table, child.pid)]);
}

/** When a process was forked, milliseconds since the epoch, to some 10 ms: proc(5) counts ticks of 10 ms from boot. */
export function startedAt({ startTicks }: ProcessRow): number {
  const uptimeMs = 1000 * Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Date.now() - uptimeMs + MS_PER_TICK * Number(startTicks);
}

/** Name of the actor whose process it is, such as `store`; undefined for any other process. */
export function actorName({ command }: ProcessRow): string | undefined {
  return /forked-actor-worker(?:\.js)? ([^ ]+)/.exec(command)?.[1];
}

function readProcess(pid: number, marker: string | undefined): ProcessRow | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The second field, the name in brackets, may hold blanks and brackets itself.
  const [state = '', parent = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = text(pid, 'cmdline').replaceAll('\0', ' ').trim();
  return {
    pid,
    parent: Number(parent),
    state,
    startTicks: rest[17] ?? '',
    command: command === '' ? stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1) : command,
    marked: marker !== undefined && names(pid, command, marker),
  };
}

/** redis-server overwrites its environment with its title, so one of the three is not enough. */
function names(pid: number, command: string, marker: string): boolean {
  const cwd = () => attempt(() => readlinkSync(`/proc/${pid}/cwd`)) ?? '';
  return command.includes(marker) || text(pid, 'environ').includes(marker) || cwd().includes(marker);
}

function text(pid: number, file: string): string {
  return attempt(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it ended, or belongs to another user
  }
}
