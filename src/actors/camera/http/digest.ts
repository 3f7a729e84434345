/** Digest access authentication: RFC 7616, and RFC 2069 for cameras without `qop`. Pure. */
import { createHash } from 'node:crypto';
import type { Challenge } from './challenge';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A digest challenge we can answer. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  /** The algorithm's name in node:crypto. */
  readonly hash: string;
  /** Rank of the algorithm; a higher one is stronger. */
  readonly strength: number;
  readonly isSession: boolean;
  readonly qop?: 'auth' | 'auth-int' | undefined;
  readonly opaque?: string | undefined;
  readonly hashesUsername: boolean;
  readonly isStale: boolean;
}

export interface DigestRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly uri: string;
  /** How often the nonce has been used, including this time. */
  readonly count: number;
  /** Our nonce, which stays the same as long as the server's. */
  readonly clientNonce: string;
}

/** Hashes by their name in the challenge, in upper case. */
const HASHES: ReadonlyMap<string, { readonly hash: string; readonly strength: number }> = new Map([
  ['MD5', { hash: 'md5', strength: 1 }],
  ['SHA-256', { hash: 'sha256', strength: 2 }],
  ['SHA-512-256', { hash: 'sha512-256', strength: 3 }],
]);

/** Undefined for a challenge that cannot be answered: its algorithm or protection is not supported. */
export function readDigestChallenge({ scheme, parameters }: Challenge): DigestChallenge | undefined {
  const nonce = parameters.get('nonce');
  if (scheme !== 'digest' || nonce === undefined) return undefined;
  const algorithm = parameters.get('algorithm') ?? 'MD5';
  const isSession = /-sess$/i.test(algorithm);
  const known = HASHES.get(algorithm.replace(/-sess$/i, '').toUpperCase());
  const offered =
    parameters
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/)
      .filter((each) => each !== '') ?? [];
  const qop = (['auth', 'auth-int'] as const).find((each) => offered.includes(each));
  if (known === undefined || (offered.length > 0 && qop === undefined)) return undefined;
  return {
    ...{ realm: parameters.get('realm') ?? '', nonce, algorithm, ...known, isSession },
    qop,
    opaque: parameters.get('opaque'),
    hashesUsername: parameters.get('userhash')?.toLowerCase() === 'true',
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}

/** The value of `Authorization` for a request without a body. */
export function digestAuthorization(
  challenge: DigestChallenge,
  { username, password }: Credentials,
  { method, uri, count, clientNonce }: DigestRequest,
): string {
  const { realm, nonce, qop, hash } = challenge;
  const of = (...parts: readonly string[]) => createHash(hash).update(parts.join(':'), 'utf8').digest('hex');
  const secret = of(username, realm, password);
  const key = challenge.isSession ? of(secret, nonce, clientNonce) : secret;
  const request = of(method, uri, ...(qop === 'auth-int' ? [of('')] : []));
  const counted = count.toString(16).padStart(8, '0');
  const response =
    qop === undefined ? of(key, nonce, request) : of(key, nonce, counted, clientNonce, qop, request);
  const sendsClientNonce = qop !== undefined || challenge.isSession;
  return `Digest ${[
    `username=${quoted(challenge.hashesUsername ? of(username, realm) : username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `algorithm=${challenge.algorithm}`,
    ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${counted}`]),
    ...(sendsClientNonce ? [`cnonce=${quoted(clientNonce)}`] : []),
    `response="${response}"`,
    ...(challenge.opaque === undefined ? [] : [`opaque=${quoted(challenge.opaque)}`]),
    ...(challenge.hashesUsername ? ['userhash=true'] : []),
  ].join(', ')}`;
}

/** Quotes a text; headers carry bytes, here those of UTF-8. */
function quoted(text: string): string {
  return `"${Buffer.from(text, 'utf8').toString('latin1').replace(/["\\]/g, '\\$&')}"`;
}
