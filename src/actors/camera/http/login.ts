/** Logs in to one server with its strongest offer, and reuses a nonce while it is valid. No I/O. */
import { randomBytes } from 'node:crypto';
import { readChallenges, readParameters } from './challenge';
import { digestAuthorization, readDigestChallenge, type Credentials, type DigestChallenge } from './digest';

/** The outcome of a request to log in. */
export type Asked =
  | { readonly kind: 'again' }
  | { readonly kind: 'refused' | 'no-credentials' }
  /** None of the offered schemes is supported. */
  | { readonly kind: 'unsupported'; readonly offered: readonly string[] };

type Method = { readonly name: 'basic' } | { readonly name: 'digest'; readonly challenge: DigestChallenge };

export class Login {
  #method: Method | undefined;
  #count = 0;
  #clientNonce = '';
  /** Whether the server has accepted a response to the newest challenge. */
  #isProven = false;

  /** @param random returns that many random bytes */
  constructor(
    private readonly credentials: Credentials | undefined,
    private readonly random: (size: number) => Buffer = randomBytes,
  ) {}

  /** True if the password is sent in readable form. */
  get isBasic(): boolean {
    return this.#method?.name === 'basic';
  }

  /** The value of `Authorization`; undefined until the server asked for one. */
  authorization(method: string, uri: string): string | undefined {
    if (this.credentials === undefined || this.#method === undefined) return undefined;
    if (this.#method.name === 'basic') {
      const { username, password } = this.credentials;
      return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
    }
    const request = { method, uri, count: ++this.#count, clientNonce: this.#clientNonce };
    return digestAuthorization(this.#method.challenge, this.credentials, request);
  }

  /** The server refused (401). @param headers of the name `WWW-Authenticate` */
  asked(headers: readonly string[]): Asked {
    if (this.credentials === undefined) return { kind: 'no-credentials' };
    const challenges = readChallenges(headers);
    const method =
      strongest(challenges.flatMap((challenge) => readDigestChallenge(challenge) ?? [])) ??
      (challenges.some(({ scheme }) => scheme === 'basic') ? { name: 'basic' as const } : undefined);
    if (method === undefined)
      return {
        kind: 'unsupported',
        offered: challenges.map(({ scheme, parameters }) => nameOf(scheme, parameters)),
      };
    // A login that was accepted and no longer is has expired, whether the server says so or not.
    const isStale = method.name === 'digest' && method.challenge.isStale;
    const isRefused = this.#method !== undefined && !this.#isProven && !isStale;
    this.#begin(method);
    if (!isRefused) return { kind: 'again' };
    this.#method = undefined;
    return { kind: 'refused' };
  }

  /** The server answered. @param info its `Authentication-Info` */
  accepted(info: string | undefined): void {
    this.#isProven = true;
    const nonce = info === undefined ? undefined : readParameters(info).get('nextnonce');
    if (this.#method?.name !== 'digest' || nonce === undefined || nonce === '') return;
    this.#begin({ name: 'digest', challenge: { ...this.#method.challenge, nonce } });
    this.#isProven = true;
  }

  #begin(method: Method): void {
    this.#method = method;
    this.#count = 0;
    this.#clientNonce = this.random(16).toString('hex');
    this.#isProven = false;
  }
}

function strongest(challenges: readonly DigestChallenge[]): Method | undefined {
  const [challenge] = [...challenges].sort((one, other) => other.strength - one.strength);
  return challenge === undefined ? undefined : { name: 'digest', challenge };
}

/** `Digest SHA-1`, `Negotiate`. */
function nameOf(scheme: string, parameters: ReadonlyMap<string, string>): string {
  const name = scheme.charAt(0).toUpperCase() + scheme.slice(1);
  const algorithm = parameters.get('algorithm');
  return (algorithm === undefined ? name : `${name} ${algorithm}`).replace(/[^\w .-]/g, '').slice(0, 40);
}
