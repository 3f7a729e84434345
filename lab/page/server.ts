/** Serves the page with a simulated installation behind it, by the types and rules of the real API. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { ApiCamera, ApiFault, ApiReset, CameraCondition } from '../../src/actors/web/view/api';
import { Edits, type Edited } from './edits';
import { scene } from './scenes';
import { World } from './world';

const PAGE = path.resolve(__dirname, '../../dist/page');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'";
/** A picture older than this is not given out. */
const OLD_MS = 10_000;
const COOKIE = 'vigil-session';

export interface PageServerOptions {
  readonly cameras: number;
  readonly port?: number;
  /** Asked for where it is given. */
  readonly token?: string;
}

export class PageServer {
  world: World;
  edits: Edits;
  /** Paths with their queries, in the order they were asked for. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;
  /** Number of the picture that is served. */
  number = 0;
  /** Event streams at once; those beyond are refused. */
  maxStreams = 64;

  private constructor(private readonly options: PageServerOptions) {
    this.world = new World(options.cameras);
    this.edits = new Edits(this.world);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => problem(response, 500, String(error)));
    });
    this.#timer = setInterval(() => this.#second(), 1000);
  }

  static async start(options: PageServerOptions): Promise<PageServer> {
    const server = new PageServer(options);
    await server.listen(options.port ?? 0);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** As a daemon that is stopped: nothing answers any more. @returns its port, to start it again */
  async pause(): Promise<number> {
    const { port } = this.#server.address() as AddressInfo;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    return port;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#server.listening) await this.pause();
  }

  setCondition(id: string, condition: CameraCondition, fault?: ApiFault): void {
    this.world.setCondition(id, condition, fault);
    this.send('camera', this.world.cameras.get(id));
    this.send('state', this.world.state());
  }

  send(event: string, data: unknown): void {
    for (const stream of this.#streams) stream.write(eventText(event, data));
  }

  #second(): void {
    this.number++;
    const capturedAt = Date.now();
    for (const id of this.world.takePictures(capturedAt)) this.send('picture', { id, capturedAt });
    if (this.number % 5 === 0) this.send('state', this.world.state());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${url.pathname}${url.search}`);
    response.setHeader('content-security-policy', POLICY);
    if (url.pathname === '/sign-in') return this.#signIn(request, response);
    if (!url.pathname.startsWith('/api/')) return serveFile(url.pathname, response);
    if (!this.#isSignedIn(request)) problem(response, 401, 'a token is needed');
    else if (request.method === 'GET') await this.#answerApi(url, response);
    else await this.#change(url, request, response);
  }

  async #answerApi({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    const [, id = '', part] = /^\/api\/cameras\/([^/]+)(\/latest\.jpg|\/crashes)?$/.exec(pathname) ?? [];
    const camera = this.world.cameras.get(id);
    if (pathname === '/api/events') this.#follow(response);
    else if (pathname === '/api/state') json(response, this.world.state());
    else if (pathname === '/api/cameras') json(response, [...this.world.cameras.values()]);
    else if (pathname === '/api/ledger') this.#ledger(searchParams, response);
    else if (camera === undefined) problem(response, 404, `there is no camera "${id}"`);
    else if (part === '/crashes') json(response, this.world.crashes(id));
    else if (part === undefined)
      answer(response, { status: 200, body: this.edits.detail(camera), etag: this.edits.etag });
    else await this.#picture(camera, Number(searchParams.get('width') ?? 1280), response);
  }

  async #change(
    { pathname, searchParams }: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = '' } = request;
    const [, id = '', verb] = /^\/api\/cameras\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    if (pathname === '/api/probe') answer(response, await this.edits.probe());
    else if (verb !== undefined) answer(response, this.edits.post(id, verb));
    else answer(response, await this.edits.edit(method, id, searchParams, request));
    const camera = this.world.cameras.get(id);
    if (camera === undefined) this.send('removed', { id });
    else this.send('camera', camera);
    this.send('state', this.world.state());
  }

  async #picture({ id, picture }: ApiCamera, width: number, response: ServerResponse): Promise<void> {
    const { capturedAt = 0 } = picture ?? {};
    if (Date.now() - capturedAt > OLD_MS) {
      problem(response, 404, `${id}: its newest picture is older than ${OLD_MS / 1000} s`);
      return;
    }
    const bytes = await scene(id, this.number, width);
    response.setHeader('x-captured-at', new Date(capturedAt).toISOString());
    response.writeHead(200, { 'content-type': 'image/jpeg', 'cache-control': 'no-store' }).end(bytes);
  }

  #ledger(query: URLSearchParams, response: ServerResponse): void {
    const camera = query.get('camera') ?? undefined;
    json(response, this.world.ledger(Number(query.get('since')), Number(query.get('buckets')), camera));
  }

  #follow(response: ServerResponse): void {
    if (this.#streams.size >= this.maxStreams) {
      problem(response, 503, `${this.maxStreams} event streams are open already; close one, then try again`);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#streams.add(response);
    const reset: ApiReset = { state: this.world.state(), cameras: [...this.world.cameras.values()] };
    response.write(eventText('reset', reset));
    response.on('close', () => this.#streams.delete(response));
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { token } = JSON.parse(Buffer.concat(chunks).toString()) as { token: string };
    if (token !== this.options.token) {
      problem(response, 401, 'this is not the token');
      return;
    }
    response.writeHead(204, { 'set-cookie': `${COOKIE}=${token}; HttpOnly; SameSite=Strict` }).end();
  }

  #isSignedIn({ headers }: IncomingMessage): boolean {
    const { token } = this.options;
    return token === undefined || headers.cookie === `${COOKIE}=${token}`;
  }
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answer(response: ServerResponse, { status, body, etag }: Edited): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  const headers = { 'content-type': type, ...(etag === undefined ? {} : { etag }) };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ status, detail }));
}

async function serveFile(name: string, response: ServerResponse): Promise<void> {
  const file = path.join(PAGE, path.normalize(name === '/' ? '/index.html' : name));
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'text/plain' }).end(bytes);
  } catch {
    problem(response, 404, `there is no ${name}`);
  }
}
