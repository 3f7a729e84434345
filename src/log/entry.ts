/** A line of the log: a JSON object, and its readable form. Pure. */
import { localTime } from './local-time';

export type Entry = Record<string, unknown> & { level: string; message: unknown };

const COLOURS: Readonly<Record<string, string>> = { error: '31', warn: '33', info: '32', debug: '90' };

/** The entry in a line; undefined if it is not one. */
export function entryOf(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Entry;
    return typeof entry.level === 'string' && typeof entry.message === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** The line for people: control characters, which may come from a camera's server, become blanks. */
export function readableLine(line: string, colour: boolean): string {
  const entry = entryOf(line);
  if (entry === undefined) return plain(line);
  const { level, message, actor, pid, time, camera: _camera, ...fields } = entry;
  const shown = colour ? `\u001b[${COLOURS[level] ?? '0'}m${level.padEnd(5)}\u001b[0m` : level.padEnd(5);
  const facts = Object.entries(fields).map(([key, value]) => ` ${key}=${String(value)}`);
  const said = plain(`${String(actor)}[${String(pid)}] ${String(message)}${facts.join('')}`);
  return `${localTime(new Date(String(time)))} ${shown} ${said}`;
}

function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** False with a non-empty NO_COLOR (https://no-color.org), and on a dumb terminal. */
export function hasColours({ isTTY = false }: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
