/** The `Authorization` that answers a camera's challenge: Basic, and Digest with MD5 and SHA-256 (RFC 7616). Pure. */
import { createHash } from 'node:crypto';
import { digestAlgorithm, type Challenge } from './challenge';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface AuthorizedRequest {
  readonly method: string;
  /** As written in the request's first line. */
  readonly uri: string;
  /** How many requests have used this nonce, including this one. */
  readonly count: number;
  /** Random, and new for every request. */
  readonly clientNonce: string;
}

/** The value of the header, for a request without a body; undefined for a challenge that cannot be answered. */
export function authorization(
  challenge: Challenge,
  { username, password }: Credentials,
  { method, uri, count, clientNonce }: AuthorizedRequest,
): string | undefined {
  if (challenge.scheme === 'basic')
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const algorithm = digestAlgorithm(challenge);
  if (algorithm === undefined) return undefined;
  const { realm, nonce, opaque, qop } = challenge;
  const digest = (text: string) =>
    createHash(algorithm.startsWith('SHA') ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const user = digest(`${username}:${realm}:${password}`);
  const secret = algorithm.endsWith('-SESS') ? digest(`${user}:${nonce}:${clientNonce}`) : user;
  const nonceCount = count.toString(16).padStart(8, '0');
  // For auth-int, a request without a body uses the digest of an empty one.
  const protection = ['auth', 'auth-int'].find((each) => qop.includes(each));
  const request = digest(`${method}:${uri}${protection === 'auth-int' ? `:${digest('')}` : ''}`);
  const middle = protection === undefined ? '' : `${nonceCount}:${clientNonce}:${protection}:`;
  const response = digest(`${secret}:${nonce}:${middle}${request}`);
  const session = algorithm.endsWith('-SESS') ? [`cnonce="${clientNonce}"`] : [];
  return `Digest ${[
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    ...(challenge.algorithm === undefined ? [] : [`algorithm=${challenge.algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(protection === undefined
      ? session
      : [`qop=${protection}`, `cnonce="${clientNonce}"`, `nc=${nonceCount}`]),
  ].join(', ')}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
