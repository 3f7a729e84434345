/** Splits the address of an RTSP feed, and resolves a camera's redirection. Pure. */
import { encodeCredential } from '../../../url/url';
import type { Credentials } from './authorization';

/** `new URL` refuses IPv6 addresses with a zone, so it is not used here. */
const PARTS = /^(rtsps?):\/\/(?:([^/?#@]*)@)?(\[[^\]]*\]|[^/?#:@[\]]+)(?::(\d{1,5}))?([/?#].*)?$/i;
const DEFAULT_PORTS = { rtsp: 554, rtsps: 322 } as const;

export interface RtspAddress {
  readonly scheme: 'rtsp' | 'rtsps';
  /** As it is looked up: of an IPv6 address without brackets, with its zone. */
  readonly host: string;
  readonly port: number;
  /** As written in the URL. */
  readonly authority: string;
  /** Path, query and fragment. */
  readonly rest: string;
  readonly credentials?: Credentials | undefined;
}

/** Undefined for what is not an address of an RTSP feed. */
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
    // Without a colon ffmpeg sends none either.
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
 * Where `location`, of a redirecting answer to `from`, leads; undefined if that is not an RTSP address. Only the same host over the
 * same scheme gets the credentials: an unknown host's owner must not get them.
 */
export function redirected(from: RtspAddress, location: string): RtspAddress | undefined {
  // Characters that could end a line or a quotation where the URL is passed on are not part of one.
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
