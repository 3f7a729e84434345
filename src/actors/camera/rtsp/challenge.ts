/** A camera's `WWW-Authenticate` header (RFC 7616, 7617), and which of its offers ffmpeg can answer. Pure. */
import type { RtspMessage } from './message';

export interface Challenge {
  readonly scheme: 'basic' | 'digest';
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string | undefined;
  /** As the camera writes it; MD5 if it has none. */
  readonly algorithm?: string | undefined;
  /** Offered kinds of protection; empty: the response is that of RFC 2069. */
  readonly qop: readonly string[];
  /** The nonce had expired, but the password was right. */
  readonly stale: boolean;
}

/** Algorithms of digest that can be answered, the strongest last. */
const ALGORITHMS = ['MD5', 'MD5-SESS', 'SHA-256', 'SHA-256-SESS'] as const;

export type DigestAlgorithm = (typeof ALGORITHMS)[number];

/** A parameter, its value either bare or in quotes, where a backslash escapes the next character. */
const PARAMETER = /^[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/;
const SCHEME = /^[\s,]*([A-Za-z][\w-]*)(?=\s|$)/;

/**
 * Offers in the camera's order. One header may contain several offers, and a camera may send several headers.
 */
export function readChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(readHeader);
}

function readHeader(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header;
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const scheme = parameter === null ? SCHEME.exec(rest) : null;
    const read = parameter ?? scheme;
    if (read === null) break;
    rest = rest.slice(read[0].length);
    if (scheme !== null) found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() });
    const [, name = '', quoted, bare] = parameter ?? [];
    const value = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    if (parameter !== null) found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found.flatMap(({ scheme, parameters }) => {
    if (scheme !== 'basic' && scheme !== 'digest') return [];
    return [
      {
        scheme,
        realm: parameters.get('realm') ?? '',
        nonce: parameters.get('nonce') ?? '',
        opaque: parameters.get('opaque'),
        algorithm: parameters.get('algorithm'),
        qop: (parameters.get('qop') ?? '').split(',').flatMap((each) => each.trim().toLowerCase() || []),
        stale: parameters.get('stale')?.toLowerCase() === 'true',
      },
    ];
  });
}

/** The algorithm of a digest offer; undefined if it is not supported. */
export function digestAlgorithm({ scheme, algorithm = 'MD5' }: Challenge): DigestAlgorithm | undefined {
  if (scheme !== 'digest') return undefined;
  return ALGORITHMS.find((known) => known === algorithm.toUpperCase());
}

/** Offers that can be answered, the strongest first. Basic, which reveals the password, is the last. */
export function answerable(challenges: readonly Challenge[]): Challenge[] {
  const strength = (challenge: Challenge) => {
    const algorithm = digestAlgorithm(challenge);
    return algorithm === undefined ? -1 : ALGORITHMS.indexOf(algorithm);
  };
  return challenges
    .filter((each) => each.scheme === 'basic' || digestAlgorithm(each) !== undefined)
    .sort((a, b) => strength(b) - strength(a));
}

/**
 * The offer ffmpeg answers: its last digest one, or Basic if there is none (httpauth.c). Up to version 7 it supports only MD5, and
 * answers nothing at all if the last one has another algorithm, whatever else was offered.
 */
export function ffmpegAnswers(challenges: readonly Challenge[]): Challenge | undefined {
  const digest = challenges.filter(({ scheme }) => scheme === 'digest').at(-1);
  if (digest === undefined) return challenges.at(-1);
  const known = ['MD5', 'MD5-sess'].includes(digest.algorithm ?? 'MD5');
  return known && (digest.qop.length === 0 || digest.qop.includes('auth')) ? digest : undefined;
}

/** The camera's offers as text: `Digest SHA-256`. */
export function namesOf(challenges: readonly Challenge[]): string {
  const names = challenges.map(({ scheme, algorithm = 'MD5' }) =>
    scheme === 'basic' ? 'Basic' : `Digest ${algorithm.slice(0, 20)}`,
  );
  return [...new Set(names)].join(' and ');
}

/** The offers in a 401 response. */
export function challengesOf(reply: RtspMessage): Challenge[] {
  return readChallenges(
    reply.headers.flatMap(([name, value]) => (name === 'www-authenticate' ? [value] : [])),
  );
}
