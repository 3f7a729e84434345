/** The cost of a process and all its descendants, as reported by /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { descendants } from '../lab/daemon';

/** Pids of a process and all its descendants. */
export function tree(pid: number): number[] {
  return [pid, ...descendants(pid)];
}

/** Processor seconds used so far by processes that run now. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** Memory that no other process shares with them, bytes. */
export function privateBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + privateOf(pid), 0);
}

export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Nanoseconds on a processor, summed over threads: the ticks of /proc/PID/stat are too coarse (10 ms). */
function cpuOf(pid: number): number {
  const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const nanoseconds = threads.map((thread) =>
    Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

function privateOf(pid: number): number {
  const rows = read(`/proc/${pid}/smaps_rollup`).matchAll(/^Private_(?:Clean|Dirty):\s*(\d+) kB/gm);
  return [...rows].reduce((sum, [, kilobytes]) => sum + 1024 * Number(kilobytes), 0);
}

function read(file: string): string {
  return attempt(() => readFileSync(file, 'utf8')) ?? '';
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // it ended while we looked
  }
}
