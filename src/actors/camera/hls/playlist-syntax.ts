/** The syntax of a playlist's lines (RFC 8216, 4): attributes, values, addresses. Pure. */
import { Fault } from '../../../fault/fault';

/** No segment is longer; a larger figure is a mistake. */
const MAX_DURATION_MS = 600_000;
/** Names that need no URL parser: a long window has tens of thousands of them each time it is read. */
export const PLAIN_NAME = /^[\w~-][\w.~-]*(?:\?[\w.~=&-]*)?$/;

export type Attributes = Readonly<Record<string, string>>;

export function readAttributes(text: string): Attributes {
  const attributes: Record<string, string> = {};
  for (const [, name = '', quoted, plain = ''] of text.matchAll(
    /\s*([A-Z0-9-]+)\s*=\s*(?:"([^"]*)"|([^",]*))\s*(?:,|$)/gy,
  ))
    attributes[name] = quoted ?? plain.trim();
  return attributes;
}

export function valueOf(line: string): string {
  const colon = line.indexOf(':');
  return colon < 0 ? '' : line.slice(colon + 1).trim();
}

export function milliseconds(value: string): number {
  const seconds = parseFloat(value);
  return seconds > 0 ? Math.min(MAX_DURATION_MS, seconds * 1000) : 0;
}

export function resolve(uri: string, base: string): string {
  try {
    if (uri !== '') return new URL(uri, base).href;
  } catch {
    // Reported below.
  }
  throw bad('names something by an address that cannot be read');
}

export function bad(what: string): Fault {
  return new Fault('bad-playlist', `the playlist ${what}`);
}
