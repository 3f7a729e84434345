/** Processor time and memory of processes with all that they have started, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { readStat } from '../../../os/process-stat';

/** Linux counts processor time in ticks of 1/100 s: USER_HZ, proc(5). */
const TICKS_PER_S = 100;
const KIB = 1024;

export interface Cost {
  readonly processorS: number;
  readonly memoryBytes: number;
}

interface Row extends Cost {
  readonly pid: number;
  readonly parent: number;
}

/**
 * By pid; processes that have ended are missing. Empty if the system has no /proc.
 * A child that ended is in its parent's time once that has waited for it.
 */
export function costOf(pids: readonly number[]): Map<number, Cost> {
  const children = new Map<number, Row[]>();
  const rows = new Map<number, Row>();
  for (const row of allRows()) {
    rows.set(row.pid, row);
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
  }
  const sum = (row: Row): Cost =>
    (children.get(row.pid) ?? []).map(sum).reduce(
      (one, other) => ({
        processorS: one.processorS + other.processorS,
        memoryBytes: one.memoryBytes + other.memoryBytes,
      }),
      row,
    );
  return new Map(
    pids.flatMap((pid) => {
      const row = rows.get(pid);
      if (row === undefined) return [];
      const { processorS, memoryBytes } = sum(row);
      return [[pid, { processorS, memoryBytes }] as const];
    }),
  );
}

function allRows(): Row[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => rowOf(name) ?? []);
  } catch {
    return [];
  }
}

/** Numbers of fields in proc(5), stat. */
const [PARENT, TIMES, RESIDENT] = [4, [14, 15, 16, 17], 24] as const;

function rowOf(pid: string): Row | undefined {
  try {
    const field = readStat(pid);
    return {
      pid: Number(pid),
      parent: Number(field(PARENT)),
      processorS: TIMES.reduce((sum, time) => sum + Number(field(time)), 0) / TICKS_PER_S,
      memoryBytes: Number(field(RESIDENT)) * PAGE_BYTES,
    };
  } catch {
    return undefined;
  }
}

/** 4 KiB, but for some ARM and POWER machines. */
const PAGE_BYTES = pageBytes();

/** statm counts in pages, status in KiB. */
function pageBytes(): number {
  try {
    const kib = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]);
    const sizes = [4, 8, 16, 64].map((size) => size * KIB);
    const measured = (kib * KIB) / pages;
    return sizes.reduce((best, size) =>
      Math.abs(size - measured) < Math.abs(best - measured) ? size : best,
    );
  } catch {
    return 4 * KIB;
  }
}
