/** Fields of /proc/PID/stat, proc(5). */
import { readFileSync } from 'node:fs';

/** Fields after the name, which may contain blanks and brackets, are numbered from 3 in proc(5): the first is the state. */
const FIRST = 3;

/**
 * A reader of fields by their numbers in proc(5), from 3 on; a field that this kernel does not have is empty.
 * @param process a pid, or `PID/task/TID` for one of its threads
 * @throws if the process has gone, or the system has no /proc
 */
export function readStat(process: number | string): (field: number) => string {
  const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (field) => fields[field - FIRST] ?? '';
}
