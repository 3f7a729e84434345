/** The server below Fastify: its limits, and its answer to data that are not HTTP. */
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, problemBody } from './problem';

/** Bytes of all headers of a request. */
const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 512;
/** Milliseconds for the headers of a request, for all of it, and that a connection is kept open without one. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
const KEEP_ALIVE_MS = 30_000;

export interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export function makeServer(certificate: Certificate | undefined, answer: RequestListener): Server {
  const options = { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: true };
  const server: Server =
    certificate === undefined
      ? createServer(options, answer)
      : createTlsServer({ ...options, ...certificate, minVersion: 'TLSv1.2' }, answer);
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('clientError', answerNoHttp);
  return server;
}

const STATUS: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'headers-too-large',
    `the headers of the request have more than ${MAX_HEADER_BYTES} bytes`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'the request did not come in time'],
};

function answerNoHttp({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, problem, detail] = STATUS[code] ?? [
    400,
    'bad-request',
    'the request is not well-formed HTTP',
  ];
  const body = JSON.stringify(problemBody(status, problem, detail));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
