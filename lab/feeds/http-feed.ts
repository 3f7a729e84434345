/** What the HTTP feeds of the tests share: addresses, paths and refusals. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HOST, type Listening } from '../loopback-server';

/** Its `stop` also ends what was started and removes what was written. */
export interface HttpFeed extends Listening {
  /** Without credentials unless asked for. */
  url(path: string, withCredentials?: boolean): string;
}

export function urls(port: number, username = '', password = ''): HttpFeed['url'] {
  const userInfo = username === '' ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return (path, withCredentials = false) => `http://${withCredentials ? userInfo : ''}${HOST}:${port}${path}`;
}

export function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? '/', 'http://feed').pathname;
}

export function refuse(response: ServerResponse, status: 401 | 404): void {
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="camera"');
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
}
