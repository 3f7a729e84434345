/** A log that keeps its lines. */
import type { Log, LogFields } from '../src/log/log';

export type Line = readonly [string, string, LogFields?];

export function keptLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    lines.push(fields === undefined ? [level, message] : [level, message, fields]);
  };
  return { lines, error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}
