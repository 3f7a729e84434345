/** Splits the address of an RTSP feed, and resolves a camera's redirection. Pure. */
import { encodeCredential } from '../../../url/url';
import type { Credentials } from './authorization';

/** Used instead of `new URL`, which rejects IPv6 addresses with a zone. */
const PARTS = /^(rtsps?):\/\/(?:([^/?#@]*)@)?(\[[^\]]*\]|[^/?#:@[\]]+)(?::(\d{1,5}))?([/?#].*)?$/i;
const DEFAULT_PORTS = { rtsp: 554, rtsps: 322 } as const;

export interface RtspAddress {
  readonly scheme: 'rtsp' | 'rtsps';
  /** The host as it is looked up: an IPv6 address has its zone, but no brackets. */
  readonly host: string;
  readonly port: number;
  /** As written in the URL. */
  readonly authority: string;
  /** Path, query and fragment. */
  readonly rest: string;
  readonly credentials?: Credentials | undefined;
}

/** Undefined if the URL is not that of an RTSP feed. */
export function readAddress(url: string): RtspAddress | undefined {
  const [, written = '', userinfo, host = '', port, rest = ''] = PARTS.exec(url) ?? [];
  if (host === '') return undefined;
  const scheme = written.toLowerCase() === 'rtsps' ? 'rtsps' : 'rtsp';
  const [username = '', ...password] = (userinfo ?? '').split(':').map(decode);
  return {
    scheme,
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? DEFAULT_PORTS[scheme]),
    authority: port === undefined ? host : `${host}:${port}`,
    rest,
    // ffmpeg does not send credentials without a colon either.
    credentials: userinfo?.includes(':') === true ? { username, password: password.join(':') } : undefined,
  };
}

/** The URL without credentials, as it appears in a request. */
export function requestUri({ scheme, authority, rest }: RtspAddress): string {
  return `${scheme}://${authority}${rest}`;
}

/** The URL with its credentials. */
export function addressUrl(address: RtspAddress): string {
  const { scheme, authority, rest, credentials } = address;
  if (credentials === undefined) return requestUri(address);
  const [user, password] = [credentials.username, credentials.password].map(encodeCredential);
  return `${scheme}://${user ?? ''}:${password ?? ''}@${authority}${rest}`;
}

/**
 * The address to which `location` redirects from `from`; undefined if it is not an RTSP address. The
 * credentials are kept only for the same host and scheme, so that no other host learns them.
 */
export function redirected(from: RtspAddress, location: string): RtspAddress | undefined {
  // A URL has no characters that could end a line or a quotation where it is passed on.
  if (/[\s\p{Cc}"'<>\\`]/u.test(location)) return undefined;
  const url = location.startsWith('/') ? `${from.scheme}://${from.authority}${location}` : location;
  const to = readAddress(url);
  if (to === undefined) return undefined;
  const { credentials: _, ...bare } = to;
  const trusted = to.host.toLowerCase() === from.host.toLowerCase() && to.scheme === from.scheme;
  return trusted && from.credentials !== undefined ? { ...bare, credentials: from.credentials } : bare;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
