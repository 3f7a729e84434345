/** URLs of feeds and servers: checking them, and joining them with credentials. See redact.ts for how they are shown. */
import { URL_PARTS } from './url-parts';

export { redactText, redactUrl } from './redact';

/** An IPv6 address with the network interface it is reached by (RFC 4007); RFC 6874 writes its percent sign %25. */
const ZONED = /^\[([0-9a-f:.]+)%(?:25)?([a-z0-9._~-]{1,15})\](?=$|:)/i;
/** Schemes whose URLs may have a zone: those of programs that understand it. */
const WITH_ZONE = /^rtsps?$/i;

/**
 * A host and its port: letters of any alphabet, digits, and other characters used in DNS and hosts files; or an
 * IPv6 address. Other characters that `new URL` accepts, such as quotation marks and `$`, are not part of any name.
 */
const HOST = /^(?:[\p{L}\p{M}\p{N}._~-]+|\[[^\]]*\])(?::\d*)?$/u;

/** Schemes whose URLs may name several hosts, separated by commas: nodes of a cluster, tried in turn. */
const SEVERAL_HOSTS = /^(?:amqps?|rediss?-(?:sentinel|cluster))$/i;

/** A URL for every host that `url` names, otherwise the same. */
export function hostsOf(url: string): string[] {
  const match = URL_PARTS.exec(url);
  const [, scheme = '', userinfo, hosts = '', rest = ''] = match ?? [];
  if (match === null || !SEVERAL_HOSTS.test(scheme)) return [url];
  const before = `${scheme}://${userinfo === undefined ? '' : `${userinfo}@`}`;
  return hosts.split(',').map((host) => before + host + rest);
}

/**
 * Percent-encodes everything but unreserved characters, so that no character of a credential can end a URL's
 * part, an option's value or a quoted string.
 */
export function encodeCredential(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * `url` in the form all parts of the program rely on: scheme in lower case, credentials percent-encoded,
 * no quotation mark anywhere. Credentials given beside the URL replace those within.
 * @param url one without a {@link urlProblem}; any other is returned unchanged
 */
export function withCredentials(url: string, username?: string, password?: string): string {
  const match = URL_PARTS.exec(url);
  if (match === null) return url;
  const [, scheme = '', userinfo = '', host = '', rest = ''] = match;
  const [user, ...pass] = userinfo.split(':').map((part) => encodeCredential(decodeURIComponent(part)));
  const own = { username: user ?? '', password: pass.length === 0 ? undefined : pass.join('%3A') };
  const given = {
    username: encodeCredential(username ?? ''),
    password: password && encodeCredential(password),
  };
  const credentials = username === undefined && password === undefined ? own : given;
  const secret = credentials.password === undefined ? '' : `:${credentials.password}`;
  const authority = credentials.username + secret;
  const at = authority === '' ? '' : '@';
  return `${scheme.toLowerCase()}://${authority}${at}${host.replace(ZONED, '[$1%$2]')}${rest.replace(/["'<>\\`]/g, percent)}`;
}

/**
 * What is wrong with `url` as an address with one of `schemes`, as a sentence without its subject; undefined if
 * nothing is. The sentence never contains the URL.
 */
export function urlProblem(url: string, schemes: readonly string[]): string | undefined {
  const expected = `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(', ')}`;
  const scheme = schemeOf(url);
  if (scheme === undefined) return `${expected}, found text without a scheme`;
  if (!schemes.includes(scheme)) return `${expected}, found ${scheme}:`;
  // Control characters and blanks could end a line or an argument wherever the URL is passed on.
  if (/[\s\p{Cc}]/u.test(url)) return 'the URL contains a blank or a control character; percent-encode it';
  const match = URL_PARTS.exec(url);
  if (match === null) return `${expected} and a host, found no host`;
  const beside =
    'if its user or password has any of @ : / ? # %, put them into "username" and "password" beside it';
  // In a password, a slash, a question mark or a hash ends the host too early; the rest becomes part of the path. With an
  // additional "@" before it, there are two possible starts of the host, and one of them is in the password.
  if (match[4]?.includes('@') === true)
    return `the URL has an "@" behind its host; ${beside}; one of the path itself is written %40`;
  // All but the first would be read as part of a password.
  if (SEVERAL_HOSTS.test(scheme) && /@[^@]*,/.test(match[2] ?? ''))
    return `the URL has an "@" before more than one of its hosts; user and password stand before the first; ${beside}`;
  if (match[3]?.includes(',') === true && !SEVERAL_HOSTS.test(scheme))
    return `the URL names several hosts, which ${scheme}:// cannot`;
  const zoned = match[3]?.includes('%') === true;
  if (zoned && !(WITH_ZONE.test(scheme) && ZONED.test(match[3] ?? '')))
    return `${scheme}:// cannot have a "%" in its host; an IPv6 address with a zone is written [fe80::1%eth0], and only for rtsp:// and rtsps://`;
  const hosts = SEVERAL_HOSTS.test(scheme) ? (match[3] ?? '').split(',') : [match[3] ?? ''];
  if (!zoned && hosts.some((host) => host !== '' && !HOST.test(host)))
    return `the URL has a character in its host that no host name has; check it; ${beside}`;
  try {
    decodeURIComponent(match[2] ?? '');
    if (hostsOf(withoutZone(url, match[3])).some((host) => new URL(host).host === ''))
      throw new Error('a host without a name');
  } catch {
    return `the URL cannot be read; ${beside}`;
  }
  return undefined;
}

/** True for a URL with a user name or password in it. */
export function hasCredentials(url: string): boolean {
  return (URL_PARTS.exec(url)?.[2] ?? '') !== '';
}

/** The scheme in lower case; undefined for text without one. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
}

/** The URL without a zone, which `new URL` does not support. */
function withoutZone(url: string, host = ''): string {
  return host.includes('%') ? url.replace(host, host.replace(ZONED, '[$1]')) : url;
}

/** The host of a URL as it is looked up or connected to, without brackets; empty for text that is not a URL. */
export function hostOf(url: string): string {
  const [, bracketed, name] = /^\[([^\]]*)\]|^([^:]*)/.exec(URL_PARTS.exec(url)?.[3] ?? '') ?? [];
  return bracketed ?? name ?? '';
}

/** The port a URL names; undefined if it names none. */
export function portOf(url: string): number | undefined {
  const [, port] = /:(\d+)$/.exec(URL_PARTS.exec(url)?.[3] ?? '') ?? [];
  return port === undefined ? undefined : Number(port);
}
