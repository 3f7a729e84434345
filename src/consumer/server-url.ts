/** Server URLs: checked before use, and never repeated in a text. */
import { serverPathProblem } from '../connections/server-path';
import { hostsOf } from '../url/url';
import { ConsumerError } from './fault';

export interface ServerUrl {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** A server's or driver's text without the credentials of this URL. */
  redact(text: string): string;
}

/**
 * Reads a URL of one of `schemes`. Throws a {@link ConsumerError} `invalid-option` that names `option` and does not
 * repeat the URL (nor keeps the parser's error, which would).
 */
export function readServerUrl(option: string, url: string, schemes: readonly string[]): ServerUrl {
  const expected = schemes.map((scheme) => `${scheme}://`).join(' or ');
  try {
    const [first = url, ...others] = hostsOf(url);
    const parts = new URL(first);
    for (const other of others) new URL(other);
    const username = decodeURIComponent(parts.username);
    const password = decodeURIComponent(parts.password);
    if (schemes.includes(parts.protocol.slice(0, -1)) && parts.hostname !== '') {
      const problem = serverPathProblem(url);
      if (problem !== undefined) throw new ConsumerError('invalid-option', `${option}: ${problem}`);
      return { url, username, password, redact: redactor(parts, username, password) };
    }
  } catch (error) {
    if (error instanceof ConsumerError) throw error;
    throw new ConsumerError(
      'invalid-option',
      `${option}: cannot be read as a URL; percent-encode the user and the password in it`,
    );
  }
  throw new ConsumerError(
    'invalid-option',
    `${option}: expected a URL that begins with ${expected} and has a host`,
  );
}

function redactor(parts: URL, username: string, password: string): (text: string) => string {
  const passwords = [parts.password, password, parts.searchParams.get('password') ?? ''].filter(Boolean);
  return (text) => {
    // Redis quotes the beginning of a refused command, and that command may be AUTH.
    let safe = text.replace(/,? with args beginning with:.*/s, '');
    for (const secret of passwords) safe = safe.replaceAll(secret, '***');
    return username === '' ? safe : safe.replaceAll(`'${username}'`, "'***'");
  };
}
