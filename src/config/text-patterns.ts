/**
 * Patterns for text in a configuration (regular expressions, ECMA 262 with the flag u) for editors: references to the environment, and
 * URLs as url.ts and server-path.ts check them. What only a parser can decide, such as an IPv6 address, is left to the daemon. Pure.
 */

const NAME = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]*\}`;
/** No reference: `$${` stands for `${`. */
const LITERAL = String.raw`[^$]|\$\$\{|\$(?!\$?\{)`;
/** `${` without a closing brace is plain text. */
const UNCLOSED = String.raw`\$\{(?![^}]*\})`;

/** Unicode text, in which every reference names a variable. */
export const TEXT = String.raw`^(?!.*[\uD800-\uDFFF])(?:${LITERAL}|${UNCLOSED}|${NAME})*$`;
/** Text with a reference. */
export const WITH_REFERENCE = `^(?:${LITERAL})*${NAME}`;
/** A path that is a URL. */
export const URL_START = '^[a-zA-Z][a-zA-Z0-9+.-]*://';

/** Text that a reference may turn into a URL with one of these schemes. */
export function urlWithReference(schemes: readonly string[]): string {
  return `^(?:${anyCase(schemes)}:(?:${LITERAL})*|[^$:/?#]*)${NAME}`;
}

/** The beginning of a URL of one of these schemes. */
export function urlOfScheme(schemes: readonly string[]): string {
  return `^${anyCase(schemes)}:`;
}

const CONTROL = String.raw`\s\p{Cc}`;
const ESCAPED = '%[0-9A-Fa-f]{2}';
const PORT = String.raw`(?::(?:0*(?:6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|\d{1,4}))?)?`;
const IP_V6 = String.raw`[0-9A-Fa-f:.]+`;
const ZONE = '(?:%(?:25)?[A-Za-z0-9._~-]{1,15})?';

function host(zone: string): string {
  return String.raw`(?:[\p{L}\p{M}\p{N}._~-]+|\[${IP_V6}${zone}\])${PORT}`;
}

/** An "@" may occur in the user's part, but not after the host. */
function authority(scheme: string): string {
  const user = `(?:[^${CONTROL}/?#%]|${ESCAPED})*`;
  return `(?:${user}@)?${host(scheme.startsWith('rtsp') ? ZONE : '')}`;
}

/** Nodes of a cluster. User and password precede the first. */
function severalHosts(): string {
  const user = `(?:[^${CONTROL}/?#%@]|${ESCAPED})*`;
  const more = `(?:@(?:[^${CONTROL}/?#%@,]|${ESCAPED})*)*`;
  return `(?:${user}${more}@)?${host('')}(?:,${host('')})*`;
}

const ANY_REST = `(?:[/?#][^${CONTROL}@]*)?`;
/** What follows the path; the parameter `name` of the query, if present, must be a number. */
function query(name: string, number: string): string {
  const right = String.raw`\?(?!(?:[^#]*&)?${name}=(?!${number}(?:[&#]|$)))[^${CONTROL}@]*`;
  return `(?:${right}|#[^${CONTROL}@]*)?`;
}

/** User, hosts and what follows, by scheme. */
function partsOf(scheme: string): string {
  if (scheme.startsWith('amqp')) {
    const virtualHost = `(?:/(?:[^${CONTROL}@/?#%]|${ESCAPED})*)?`;
    return severalHosts() + virtualHost + query('heartbeat', String.raw`\d{1,5}`);
  }
  if (scheme.endsWith('-cluster')) return `${severalHosts()}(?:/0?)?(?:[?#][^${CONTROL}@]*)?`;
  if (!scheme.startsWith('redis')) return authority(scheme) + ANY_REST;
  const hosts = scheme.endsWith('-sentinel') ? severalHosts() : authority(scheme);
  return hosts + String.raw`(?:/\d{0,5})?` + query('db', String.raw`\d{0,5}`);
}

/** A whole URL of one of these schemes, without references. */
export function urlPattern(schemes: readonly string[]): string {
  const byParts = new Map<string, string[]>();
  for (const scheme of schemes)
    byParts.set(partsOf(scheme), [...(byParts.get(partsOf(scheme)) ?? []), scheme]);
  const forms = [...byParts].map(([parts, alike]) => `${anyCase(alike)}://${parts}`);
  return `^(?:${forms.join('|')})$`;
}

/** Schemes in either case: JSON Schema has no flag for that. */
function anyCase(schemes: readonly string[]): string {
  const each = schemes.map((scheme) =>
    scheme.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`),
  );
  return `(?:${each.join('|')})`;
}
