/**
 * Why part of a feed could not be fetched over HTTP. The messages contain neither their subject nor any URL.
 */
import { STATUS_CODES } from 'node:http';
import { Fault } from '../../../fault/fault';
import { trustFault } from '../http/trust';

export class FetchError extends Error {
  /**
   * @param message as ffmpeg would write it, for the table of feed/open-rules.ts
   * @param onReused whether it was the first error on a reused connection
   */
  constructor(
    readonly code: string,
    message: string,
    readonly onReused = false,
  ) {
    super(message);
  }

  /** True if another request would have the same result. */
  get isFinal(): boolean {
    return [
      'not-found',
      'unauthorized',
      'rejected',
      'too-large',
      'forbidden-host',
      'redirects',
      'tls-untrusted',
    ].includes(this.code);
  }
}

/** The error for a redirect that the configuration does not allow. */
export function forbiddenHost(): FetchError {
  return new FetchError(
    'forbidden-host',
    'leads to an address that its URL does not name; give that address as the URL, or set "redirects" to "any-host" if it may lead to other hosts of its network',
  );
}

export function statusError(status: number): FetchError {
  const text = `HTTP error ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status === 401 || status === 403) return new FetchError('unauthorized', text);
  if (status === 404 || status === 410) return new FetchError('not-found', '404 Not Found');
  // Request timeout, too early, too many requests: a later attempt may succeed.
  if (status === 408 || status === 425 || status === 429) return new FetchError('rejected-now', text);
  if (status >= 400 && status <= 499) return new FetchError('rejected', '4XX Client Error');
  return new FetchError('server-error', status === 503 ? text : '5XX Server Error');
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOTFOUND: 'Failed to resolve',
  EAI_AGAIN: 'Failed to resolve',
  ETIMEDOUT: 'timed out',
  ECONNRESET: 'Connection reset',
  EPIPE: 'Connection reset',
  ERR_STREAM_PREMATURE_CLOSE: 'Connection reset',
};

/** The error for a failed socket, name look-up or certificate check. */
export function networkError(error: unknown, onReused = false): FetchError {
  if (error instanceof FetchError) return error;
  if (error instanceof Fault && error.code === 'redirect') return forbiddenHost();
  const untrusted = trustFault(error);
  if (untrusted !== undefined) return new FetchError(untrusted.code, untrusted.message);
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code.startsWith('HPE_')) return new FetchError('malformed', 'Invalid data found');
  const known = NETWORK[code];
  if (known !== undefined) return new FetchError('network', known, onReused && known === 'Connection reset');
  if (/cert|ssl|tls|signature/i.test(`${code} ${message}`)) return new FetchError('tls', 'TLS');
  return new FetchError('network', 'Connection reset');
}
