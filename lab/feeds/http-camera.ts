/** An HTTP camera that a test scripts, request by request, and that notes what it is asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { HOST, listen } from '../loopback-server';

export type Script = (request: IncomingMessage, response: ServerResponse, number: number) => void;

export interface HttpCamera {
  readonly port: number;
  url(path: string, userInfo?: string): string;
  /** All that came, in their order. */
  readonly requests: readonly {
    readonly path: string;
    readonly at: number;
    readonly headers: IncomingMessage['headers'];
  }[];
  /** The most requests that waited for their answer at once, and all connections there were. */
  readonly overlap: () => number;
  readonly connections: () => number;
  readonly open: () => number;
  stop(): Promise<void>;
}

/** @param script answers; `number` counts the requests from 0 */
export async function startHttpCamera(
  script: Script,
  options: ServerOptions & { readonly host?: string } = {},
): Promise<HttpCamera> {
  const { host = HOST, ...tls } = options;
  const requests: HttpCamera['requests'][number][] = [];
  const sockets = new Set<Socket>();
  let [pending, overlap, connections] = [0, 0, 0];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    overlap = Math.max(overlap, ++pending);
    response.on('close', () => pending--);
    requests.push({ path: request.url ?? '', at: Date.now(), headers: request.headers });
    script(request, response, requests.length - 1);
  };
  const server = tls.key === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  const { port, stop } = await listen(server, 0, host);
  const scheme = tls.key === undefined ? 'http' : 'https';
  return {
    ...{ port, requests, overlap: () => overlap, connections: () => connections, open: () => sockets.size },
    url: (path, userInfo) =>
      `${scheme}://${userInfo === undefined ? '' : `${userInfo}@`}${host}:${port}${path}`,
    stop,
  };
}
