/** Requests to etcd's JSON gateway: several endpoints, of which the next is used when one does not answer; login; TLS. */
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { faultRecord } from '../fault/fault';
import { boundedText } from '../os/bounded-text';
import { lastingSocketPath } from '../os/local-socket';
import { answerFault, connectionFault, etcdFault } from './fault';
import { SOCKET_SCHEME } from './socket';

export interface EtcdAccess {
  /** `http://` or `https://`, host and port; or {@link etcdEndpoint}. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** An answer takes 5 to 10 ms; a host that is frozen, cut off or without a quorum never answers, and the next one is asked. */
const ANSWER_MS = 1500;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export class Gateway {
  readonly #agents: readonly http.Agent[];
  /** Index of the endpoint in use. */
  #present = 0;
  #token: string | undefined;

  constructor(private readonly access: EtcdAccess) {
    const { ca, cert, key } = access;
    this.#agents = access.endpoints.map((endpoint) =>
      isSecure(endpoint)
        ? new https.Agent({ keepAlive: true, ca, cert, key })
        : new http.Agent({ keepAlive: true, ...socketOf(endpoint) }),
    );
  }

  /** Ends all connections. */
  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  /**
   * The answer of the first endpoint that responds, starting with the one that answered last.
   * @param call such as `/v3/kv/range`
   * @throws Fault of an {@link EtcdFaultCode}
   */
  async ask<Answer>(call: string, body: object): Promise<Answer> {
    return this.#first(async (index) => {
      const response = await this.#open(index, call, body);
      return JSON.parse(await readText(response, this.#endpoint(index))) as Answer;
    });
  }

  /**
   * Like {@link ask}, for an endless answer, which is destroyed when `signal` is aborted.
   * @throws Fault if it does not begin
   */
  async stream(call: string, body: object, signal: AbortSignal): Promise<http.IncomingMessage> {
    return this.#first((index) => this.#open(index, call, body, signal));
  }

  /** The endpoint in use has gone silent: the next is asked first. */
  leave(): void {
    this.#present = (this.#present + 1) % this.access.endpoints.length;
  }

  async #first<T>(work: (index: number) => Promise<T>): Promise<T> {
    const { length } = this.access.endpoints;
    const start = this.#present;
    let last: unknown;
    for (let i = 0; i < length; i++) {
      const index = (start + i) % length;
      try {
        const result = await this.#loggedIn(index, work);
        this.#present = index;
        return result;
      } catch (error) {
        if (faultRecord(error, '').code !== 'etcd-away') throw error;
        last = error;
      }
    }
    throw last instanceof Error ? last : etcdFault('etcd-away', 'no etcd endpoint is given');
  }

  /** A token expires after five minutes without use, and with every change of users and roles. */
  async #loggedIn<T>(index: number, work: (index: number) => Promise<T>): Promise<T> {
    if (this.access.username === undefined) return work(index);
    const isNew = this.#token === undefined;
    if (isNew) await this.#logIn(index);
    try {
      return await work(index);
    } catch (error) {
      if (isNew || faultRecord(error, '').code !== 'etcd-login') throw error;
      await this.#logIn(index);
      return await work(index);
    }
  }

  async #logIn(index: number): Promise<void> {
    const { username: name, password } = this.access;
    this.#token = undefined;
    const response = await this.#open(index, '/v3/auth/authenticate', { name, password });
    const { token } = JSON.parse(await readText(response, this.#endpoint(index))) as { token: string };
    this.#token = token;
  }

  /**
   * After a silence only new connections are used, which need answers from the other side to be established: a node whose packets
   * arrive but that receives none would otherwise renew its lease over its existing connections, and no other node could take its cameras.
   */
  #dropIdle(): void {
    for (const agent of this.#agents)
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }

  #endpoint(index: number): string {
    return this.access.endpoints[index] ?? '';
  }

  /** Resolves with the head of a good answer. */
  async #open(
    index: number,
    call: string,
    body: object,
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const endpoint = this.#endpoint(index);
    const options = {
      method: 'POST',
      agent: this.#agents[index],
      headers: {
        'content-type': 'application/json',
        ...(this.#token === undefined ? {} : { authorization: this.#token }),
      },
      ...(signal === undefined ? {} : { signal }),
    };
    const { request } = isSecure(endpoint) ? https : http;
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const asking = request(new URL(call, baseOf(endpoint)), options, resolve);
      const timer = setTimeout(() => {
        this.#dropIdle();
        asking.destroy(new Error(`no answer within ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      asking.once('error', (error) => reject(connectionFault(endpoint, error)));
      for (const event of ['close', 'response']) asking.once(event, () => clearTimeout(timer));
      asking.end(JSON.stringify(body));
    });
    if (response.statusCode === 200) return response;
    throw answerFault(endpoint, response.statusCode ?? 0, await readText(response, endpoint));
  }
}

/** The socket that requests to an endpoint are sent to, if it has one. */
function socketOf(endpoint: string): { readonly socketPath?: string } {
  if (!endpoint.startsWith(SOCKET_SCHEME)) return {};
  const file = endpoint.slice(SOCKET_SCHEME.length);
  return { socketPath: lastingSocketPath(path.dirname(file), path.basename(file)) };
}

/** The base URL of requests; on a socket, its host is ignored. */
function baseOf(endpoint: string): string {
  return endpoint.startsWith(SOCKET_SCHEME) ? 'http://localhost' : endpoint;
}

function isSecure(endpoint: string): boolean {
  return endpoint.startsWith('https:');
}

async function readText(response: http.IncomingMessage, endpoint: string): Promise<string> {
  const late = () => response.destroy(new Error(`no whole answer within ${ANSWER_MS} ms`));
  const timer = setTimeout(late, ANSWER_MS);
  try {
    return await boundedText(response, MAX_ANSWER_BYTES, 'an answer');
  } catch (error) {
    response.destroy();
    throw connectionFault(endpoint, error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(timer);
  }
}
