/** Digest authentication as a test camera asks for it: user `admin`, password `secret`. Pure. */
import { createHash } from 'node:crypto';
import type { RtspRequest } from './rtsp-requests';

export type DigestName = 'MD5' | 'SHA-256';

const REALM = 'cam';
const NONCE = 'abc';

export function challenge(algorithm: DigestName): string {
  return `WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}", algorithm="${algorithm}"`;
}

/** By RFC 2069, whose answers need no counter. */
export function isAuthorized(request: RtspRequest, offered: readonly DigestName[]): boolean {
  const [, answer = ''] = /^Digest (.*)$/i.exec(request.header('Authorization')) ?? [];
  const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)"?`).exec(answer)?.[1] ?? '';
  const algorithm = field('algorithm').toUpperCase() === 'SHA-256' ? 'SHA-256' : 'MD5';
  const hash = (text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const asked = hash(`${request.method}:${field('uri')}`);
  const expected = hash(`${hash(`admin:${REALM}:secret`)}:${NONCE}:${asked}`);
  return offered.includes(algorithm) && field('response') === expected;
}
