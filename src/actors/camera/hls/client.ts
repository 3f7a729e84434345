/**
 * Fetches the resources of an HLS feed over kept-alive connections: bounded in size, silence and redirects,
 * only from hosts the feed may lead to, and with the feed's credentials only for its own host.
 */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { HttpOptions } from '../http/client';
import { HostGuard } from '../http/host-guard';
import { Login } from '../http/login';
import { tlsOptions } from '../http/trust';
import { isSameHost, isSameOrigin, mayList, redirectTarget, type HostPolicy } from '../http/redirect';
import { FetchError, forbiddenHost, networkError, statusError } from './fetch-error';
import type { Resource } from './playlist';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** One for playlists, one for segments. */
const MAX_CONNECTIONS = 2;
/** More cookies than any server sets. */
const MAX_COOKIES = 20;
const MAX_COOKIE_CHARS = 4096;

export interface Limits {
  readonly maxBytes: number;
  /** How long the server may be silent. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

export interface Fetched {
  /** The URL after redirects, without credentials. */
  readonly url: string;
  readonly bytes: Buffer;
}

export class HlsClient {
  readonly #named: URL;
  readonly #policy: HostPolicy;
  readonly #guard: HostGuard;
  readonly #login: Login;
  readonly #agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent };
  /** Cookies of the feed's own host: some servers identify viewers by them. */
  readonly #cookies = new Map<string, string>();

  /** @param url the feed's, with its credentials */
  constructor(
    url: string,
    private readonly options: HttpOptions = {},
  ) {
    const named = new URL(url);
    const [username, password] = [named.username, named.password].map((part) => decodeURIComponent(part));
    this.#login = new Login(username ? { username, password: password ?? '' } : undefined);
    named.username = named.password = '';
    this.#named = named;
    this.#policy = { named, anyHost: options.anyHost === true };
    const kept = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
    this.#agents = {
      'http:': new http.Agent(kept),
      'https:': new https.Agent({ ...kept, ...tlsOptions(options.tls) }),
    };
    this.#guard = new HostGuard(this.#policy);
  }

  /** The feed's URL without its credentials. */
  get url(): string {
    return this.#named.href;
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** @throws FetchError */
  async fetch({ url, range }: Resource, limits: Limits): Promise<Fetched> {
    let target = new URL(url);
    target.username = target.password = '';
    if (!mayList(target, this.#policy)) throw forbiddenHost();
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.#askAuthorised(target, range, limits);
      const status = answer.statusCode ?? 0;
      if (!REDIRECTS.has(status)) return this.#read(answer, target, range, limits);
      answer.destroy();
      target = this.#redirected(target, answer.headers.location);
    }
    throw new FetchError('redirects', `redirects more than ${MAX_REDIRECTS} times`);
  }

  async #askAuthorised(target: URL, range: Resource['range'], limits: Limits): Promise<IncomingMessage> {
    for (;;) {
      const answer = await this.#askAgain(target, range, limits);
      if (!this.#isNamed(target)) return answer;
      if (answer.statusCode !== 401) {
        this.#login.accepted(String(answer.headers['authentication-info'] ?? ''));
        return answer;
      }
      // A second refusal of the same login is final.
      if (this.#login.asked(challengesOf(answer)).kind !== 'again') return answer;
      if (this.#login.isBasic && !(this.options.tls && target.protocol === 'https:'))
        this.options.onBasic?.();
      answer.destroy();
    }
  }

  /** Retries once: the server may close a kept connection just when it is reused. */
  async #askAgain(target: URL, range: Resource['range'], limits: Limits): Promise<IncomingMessage> {
    try {
      return await this.#ask(target, range, limits);
    } catch (error) {
      const failure = networkError(error);
      if (!failure.onReused || limits.signal.aborted) throw failure;
      return this.#ask(target, range, limits);
    }
  }

  #ask(target: URL, range: Resource['range'], { silenceMs, signal }: Limits): Promise<IncomingMessage> {
    const { protocol } = target;
    const secure = protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? https.request : http.request)(target, {
        agent: this.#agents[secure ? 'https:' : 'http:'],
        headers: this.#headers(target, range),
        timeout: silenceMs,
        // Some cameras send malformed headers.
        insecureHTTPParser: true,
        signal,
        ...this.#guard.lookup(target),
      });
      let stream: { destroy(error: Error): void } = request;
      request.on('timeout', () => stream.destroy(new FetchError('timeout', 'timed out')));
      request.on('error', (error) => reject(networkError(error, request.reusedSocket)));
      request.once('response', (answer) => {
        this.#guard.reached(target, answer.socket.remoteAddress);
        if (this.#isNamed(target)) this.#keepCookies(answer.headers);
        stream = answer;
        resolve(answer);
      });
      request.end();
    });
  }

  #headers(target: URL, range: Resource['range']): http.OutgoingHttpHeaders {
    const headers: http.OutgoingHttpHeaders = {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'Vigil',
    };
    if (range !== undefined) headers['range'] = `bytes=${range.offset}-${range.offset + range.length - 1}`;
    if (!this.#isNamed(target)) return headers;
    const authorization = this.#login.authorization('GET', target.pathname + target.search);
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (this.#cookies.size > 0)
      headers['cookie'] = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return headers;
  }

  #isNamed(target: URL): boolean {
    return isSameOrigin(target, this.#named);
  }

  /** Resolves a redirect; what a playlist lists on another host may be redirected within that host. */
  #redirected(from: URL, location: string | undefined): URL {
    const named = isSameHost(from, this.#named) ? this.#named : from;
    try {
      return redirectTarget(from, location, { ...this.#policy, named });
    } catch (error) {
      throw networkError(error);
    }
  }

  #keepCookies(headers: IncomingHttpHeaders): void {
    for (const cookie of headers['set-cookie'] ?? []) {
      const [, name, value = ''] = /^\s*([^=;\s]+)=([^;]*)/.exec(cookie.slice(0, MAX_COOKIE_CHARS)) ?? [];
      if (name !== undefined && (this.#cookies.has(name) || this.#cookies.size < MAX_COOKIES))
        this.#cookies.set(name, value.trim());
    }
  }

  async #read(
    answer: IncomingMessage,
    target: URL,
    range: Resource['range'],
    { maxBytes }: Limits,
  ): Promise<Fetched> {
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) {
      answer.destroy();
      throw statusError(status);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxBytes) throw new FetchError('too-large', `sends more than ${maxBytes} bytes at once`);
      }
    } catch (error) {
      throw networkError(error);
    } finally {
      answer.destroy();
    }
    const bytes = Buffer.concat(chunks);
    return {
      url: target.href,
      // A server that does not support ranges sends the whole resource.
      bytes:
        range === undefined || status === 206
          ? bytes
          : bytes.subarray(range.offset, range.offset + range.length),
    };
  }
}

/** Keeps the headers separate, because joined challenges are hard to separate. */
function challengesOf({ headersDistinct }: IncomingMessage): readonly string[] {
  return headersDistinct['www-authenticate'] ?? [];
}
