/** The answers of a faulty HLS server, and the name of each fault. */
import type { ServerResponse } from 'node:http';
import type { LiveHlsOptions } from '../../lab/feeds/hls-options';
import { Fault } from '../../src/fault/fault';

export type Answer = NonNullable<LiveHlsOptions['answer']>;

/** The code of a fault; undefined for anything else. */
export function codeOf(error: Error | undefined): string | undefined {
  return error instanceof Fault ? error.code : undefined;
}

export const refuse = (response: ServerResponse, status: number): true => {
  response.writeHead(status, { 'content-length': 0 }).end();
  return true;
};
export const redirect = (response: ServerResponse, location: string): true => {
  response.writeHead(302, { location, 'content-length': 0 }).end();
  return true;
};
