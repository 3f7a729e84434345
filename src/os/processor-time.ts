/** Processor time of a process and all processes it has started, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';
import { readStat } from './process-stat';

/** USER_HZ, which is 100 on every Linux that Node runs on: proc(5). */
const TICKS_PER_SECOND = 100;
/** Numbers in proc(5), stat: of the process, and of its children that have ended, in user and system mode. */
const TIMES = [14, 15, 16, 17] as const;

/** Processor seconds since its start, including children that have ended; undefined if it has gone, or without /proc. */
export function processorSeconds(pid: number): number | undefined {
  try {
    const field = readStat(pid);
    const ticks = TIMES.reduce((sum, number) => sum + Number(field(number)), 0);
    const below = childrenOf(pid).map((child) => processorSeconds(child) ?? 0);
    return below.reduce((sum, seconds) => sum + seconds, ticks / TICKS_PER_SECOND);
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1'));
  return lists.flatMap((list) => list.split(' ').filter((field) => field !== '')).map(Number);
}
