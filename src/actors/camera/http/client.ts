/**
 * Requests one URL of one camera over a kept connection: logs in, follows allowed redirects, bounds what is
 * read.
 */
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { CameraTls } from '../../../config/topology';
import { Fault } from '../../../fault/fault';
import type { Credentials } from './digest';
import { HostGuard } from './host-guard';
import { errorFault, lateFault, loginFault, MAX_HEADERS_BYTES, type Phase } from './http-fault';
import { Login } from './login';
import { tlsOptions } from './trust';
import {
  isSameHost,
  isSameOrigin,
  MAX_REDIRECTS,
  redirectTarget,
  tooManyRedirects,
  type HostPolicy,
} from './redirect';

/** How much of an answer that is not a picture is read so that its connection can be reused. */
const MAX_IGNORED_BYTES = 64 * 1024;
const MAX_IGNORED_MS = 500;
/** How many challenges one request may meet; a stale nonce counts as one. */
const MAX_CHALLENGES = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Redirects that also apply to later requests. */
const PERMANENT: ReadonlySet<number> = new Set([301, 308]);

/** The camera settings that determine how it is requested. */
export interface HttpOptions {
  readonly anyHost?: boolean;
  readonly tls?: CameraTls;
  /** The password is about to be sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly message: IncomingMessage;
  /**
   * When the request was sent and when the headers of the answer had arrived, milliseconds since the epoch.
   */
  readonly sentAt: number;
  readonly answeredAt: number;
}

export interface Limits {
  /** Milliseconds until the headers of the answer must be complete if a new connection is opened. */
  readonly openMs: number;
  /** The limit for a reused connection: it may have died unnoticed. */
  readonly reuseMs: number;
}

export class HttpClient {
  readonly #named: URL;
  readonly #policy: HostPolicy;
  readonly #guard: HostGuard;
  readonly #credentials: Credentials | undefined;
  readonly #logins = new Map<string, Login>();
  readonly #agent: http.Agent;
  /** Where the configured URL leads after permanent redirects. */
  #target: URL;
  #phase: () => Phase = () => 'connecting';

  /** @param url with the credentials, if it has any */
  constructor(
    url: string,
    private readonly options: HttpOptions = {},
  ) {
    const named = new URL(url);
    const { username, password } = named;
    this.#credentials =
      username === '' && password === ''
        ? undefined
        : { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    named.username = named.password = named.hash = '';
    this.#named = this.#target = named;
    this.#policy = { named, anyHost: options.anyHost === true };
    this.#guard = new HostGuard(this.#policy);
    const kept = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
    this.#agent =
      named.protocol === 'https:'
        ? new https.Agent({ ...kept, ...tlsOptions(options.tls) })
        : new http.Agent(kept);
  }

  /**
   * Returns the answer with its body unread. `signal` aborts it, even while its body is read.
   * @throws Fault with the reason there is no answer; its message follows the feed's name
   */
  async get(headers: Readonly<Record<string, string>>, limits: Limits, signal: AbortSignal): Promise<Answer> {
    let target = this.#target;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#loggedIn(target, headers, limits, signal);
      if (!REDIRECTS.has(answer.status)) return answer;
      ignore(answer.message);
      if (redirects === MAX_REDIRECTS) throw tooManyRedirects();
      const isForGood = PERMANENT.has(answer.status) && target === this.#target;
      target = redirectTarget(target, answer.message.headers.location, this.#policy);
      if (isForGood && isSameHost(target, this.#named)) this.#target = target;
    }
  }

  /** How far the newest request has come. */
  get phase(): Phase {
    return this.#phase();
  }

  close(): void {
    this.#agent.destroy();
  }

  async #loggedIn(
    target: URL,
    headers: Readonly<Record<string, string>>,
    limits: Limits,
    signal: AbortSignal,
  ): Promise<Answer> {
    const login = this.#loginOf(target);
    for (let challenges = 0; ; challenges++) {
      const authorization = login.authorization('GET', target.pathname + target.search);
      const all = authorization === undefined ? headers : { ...headers, authorization };
      const answer = await this.#send(target, all, limits, signal);
      if (answer.status !== 401) {
        login.accepted(answer.message.headers['authentication-info']?.toString());
        return answer;
      }
      ignore(answer.message);
      const asked = login.asked(answer.message.headersDistinct['www-authenticate'] ?? []);
      if (asked.kind !== 'again') throw loginFault(asked);
      if (login.isBasic && !(this.options.tls && target.protocol === 'https:')) this.options.onBasic?.();
      if (challenges === MAX_CHALLENGES) throw loginFault({ kind: 'refused' });
    }
  }

  /** Only the configured origin gets the credentials. */
  #loginOf(target: URL): Login {
    const known = this.#logins.get(target.host);
    if (known !== undefined) return known;
    const login = new Login(isSameOrigin(target, this.#named) ? this.#credentials : undefined);
    this.#logins.set(target.host, login);
    return login;
  }

  /** Sends a request, and again if the server closed a kept connection just as the request was sent. */
  async #send(
    target: URL,
    headers: Readonly<Record<string, string>>,
    limits: Limits,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      return await this.#sendOnce(target, headers, limits, signal);
    } catch (error) {
      if (!(error instanceof Unused)) throw error;
      return this.#sendOnce(target, headers, limits, signal);
    }
  }

  async #sendOnce(
    target: URL,
    headers: Readonly<Record<string, string>>,
    limits: Limits,
    signal: AbortSignal,
  ): Promise<Answer> {
    const options: RequestOptions = {
      agent: this.#agent,
      headers: { 'user-agent': 'Vigil', accept: '*/*', 'accept-encoding': 'identity', ...headers },
      // Some cameras end lines and chunks in non-standard ways.
      insecureHTTPParser: true,
      maxHeaderSize: MAX_HEADERS_BYTES,
      signal,
      ...this.#guard.lookup(target),
    };
    return new Promise<Answer>((resolve, reject) => {
      const sentAt = Date.now();
      const startedMs = performance.now();
      let socket: Socket | undefined;
      let readBefore = 0;
      const request = (target.protocol === 'https:' ? https : http).request(target, options);
      this.#phase = () => phaseOf(socket, readBefore);
      const limitMs = () => (request.reusedSocket ? limits.reuseMs : limits.openMs);
      const fail = (error: Error) => {
        clearTimeout(timer);
        request.destroy();
        reject(error);
      };
      // Checked when either limit has passed: only then is it known which connection is used.
      let timer = setTimeout(
        () => {
          const leftMs = limitMs() - (performance.now() - startedMs);
          if (leftMs <= 0) fail(lateFault(this.phase, limitMs()));
          else timer = setTimeout(() => fail(lateFault(this.phase, limitMs())), leftMs);
        },
        Math.min(limits.openMs, limits.reuseMs),
      );
      request.on('socket', (used) => {
        socket = used;
        readBefore = used.bytesRead;
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isUnused = request.reusedSocket && /^(?:ECONNRESET|EPIPE)$/.test(error.code ?? '');
        fail(isUnused && socket?.bytesRead === readBefore ? new Unused() : errorFault(error));
      });
      request.on('upgrade', () =>
        fail(new Fault('rejected', 'asks for another protocol; check path and query of the URL')),
      );
      request.on('response', (message) => {
        clearTimeout(timer);
        this.#guard.reached(target, socket?.remoteAddress);
        // The reader notices by "close" and `complete`; without a listener, an error would end the process.
        message.on('error', () => undefined);
        resolve({ status: message.statusCode ?? 0, message, sentAt, answeredAt: Date.now() });
      });
      request.end();
    });
  }
}

/** The server had closed the kept connection before the request reached it. */
class Unused extends Error {}

function phaseOf(socket: Socket | undefined, readBefore: number): Phase {
  if (socket === undefined || socket.connecting) return 'connecting';
  return socket.bytesRead > readBefore ? 'answering' : 'connected';
}

/**
 * Reads an unneeded body so that the connection can be reused, unless the body is too long or takes too long.
 */
function ignore(message: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => {
    message.destroy();
  }, MAX_IGNORED_MS);
  message.on('close', () => clearTimeout(timer));
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_IGNORED_BYTES) message.destroy();
  });
}
