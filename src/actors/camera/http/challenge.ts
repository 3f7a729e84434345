/** Authentication a server requires: `WWW-Authenticate`, RFC 9110, 11.6.1, read as loosely as cameras write it. Pure. */

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case; values are without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const BLANKS = /[\s,]*/y;
const TOKEN = /[^\s,="]+/y;
const VALUE = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/sy;

/** @param headers one or more challenges each; parameters without commas between them are accepted too */
export function readChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap((header) => readHeader(header));
}

function readHeader(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    next(BLANKS);
    const token = next(TOKEN)?.[0];
    if (token === undefined) {
      at++;
      continue;
    }
    const value = next(VALUE);
    if (value === null) found.push({ scheme: token.toLowerCase(), parameters: new Map() });
    else
      found.at(-1)?.parameters.set(token.toLowerCase(), value[1]?.replace(/\\(.)/gs, '$1') ?? value[2] ?? '');
  }
  return found;
}

/** `name=value` pairs of a header that is not a challenge: `Authentication-Info`. */
export function readParameters(header: string): ReadonlyMap<string, string> {
  return readHeader(`x ${header}`)[0]?.parameters ?? new Map();
}
