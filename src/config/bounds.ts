/** Limits of a configuration, checked before it is parsed: a parser's memory and stack depend on its input. Pure. */
import type { ConfigFault } from './faults';

/** 10,000 cameras with 800 bytes each. */
export const MAX_CONFIGURATION_BYTES = 8 * 1024 * 1024;
/** 10,000 cameras with 25 settings each. */
const MAX_VALUES = 250_000;
/** A configuration needs five. */
const MAX_DEPTH = 32;

const [QUOTE, BACKSLASH, COMMA, SLASH] = [0x22, 0x5c, 0x2c, 0x2f];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

export const TOO_LARGE: ConfigFault = {
  path: '$',
  problem: `has more than ${MAX_CONFIGURATION_BYTES} bytes, and is not read; check that it is the right file`,
};

/** Why `text` must not be parsed; undefined if it may be. The text need not be JSON. */
export function excess(text: string): ConfigFault | undefined {
  // No text has fewer bytes than characters.
  if (text.length > MAX_CONFIGURATION_BYTES) return TOO_LARGE;
  let [depth, values, isText] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) isText = !isText;
    else if (isText && code === BACKSLASH) i++;
    else if (isText) continue;
    else if (code === SLASH) i = endOfComment(text, i);
    else if (code === COMMA) values++;
    else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) depth++;
    if (depth > MAX_DEPTH) return tooDeep(text, i);
    if (values > MAX_VALUES)
      return {
        path: '$',
        problem: `holds more than ${MAX_VALUES} values, and is not read; check that it is the right file`,
      };
  }
  return undefined;
}

/** Offset of the last character of a comment that begins at `offset`; `offset` if none does. */
function endOfComment(text: string, offset: number): number {
  const end = (mark: string) => {
    const at = text.indexOf(mark, offset + 2);
    return at === -1 ? text.length : at + mark.length - 1;
  };
  if (text.startsWith('//', offset)) return end('\n');
  return text.startsWith('/*', offset) ? end('*/') : offset;
}

function tooDeep(text: string, offset: number): ConfigFault {
  const problem = `is nested deeper than ${MAX_DEPTH} levels at ${placeOf(text, offset)}; a configuration needs five: check its brackets`;
  return { path: '$', problem };
}

/** Line and column as editors count them. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
