/** endpoints.json in the data directory of a daemon: where its servers are, for clients and for other daemons of this machine. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ownedBy } from '../connections/rabbitmq-listener';
import { overSocket } from '../connections/redis-address';
import { ExitFault } from '../fault/fault';
import { throwIfNotPermitted } from '../os/access';

export const ENDPOINTS_FILE = 'endpoints.json';
/** In the folder of each embedded server: its ports. */
export const SERVER_FILE = 'server.json';

/** Mode 0600; exists while the daemon runs. */
export interface Endpoints {
  readonly redis: string;
  readonly amqp: string;
  /** Only for a private one. */
  readonly etcd?: string;
  /** URL of the page and the API; absent until they are served. */
  readonly http?: string;
}

/** @throws ExitFault `not-permitted` or `no-endpoints` */
export function readEndpoints(file: string): Endpoints {
  throwIfNotPermitted(file);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
  } catch (error) {
    throw new ExitFault(
      'no-endpoints',
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'not JSON'}): the embedded servers run only while the daemon does; start it, or give its --config and --data-dir`,
      { cause: error },
    );
  }
}

/** The Redis of the daemon that wrote `file`; another process that has taken the port of an embedded one is not mistaken for it. */
export function redisOf(file: string, { redis }: Endpoints = readEndpoints(file)): string {
  return isEmbedded(file, 'redis', redis) ? overSocket(redis, folderOf(file, 'redis')) : redis;
}

/** The RabbitMQ of that daemon, with the same check. */
export function rabbitmqOf(file: string, { amqp }: Endpoints = readEndpoints(file)): string {
  return isEmbedded(file, 'rabbitmq', amqp) ? ownedBy(amqp, statSync(file).uid) : amqp;
}

function folderOf(file: string, server: string): string {
  return path.resolve(path.dirname(file), server);
}

function isEmbedded(file: string, server: string, url: string): boolean {
  try {
    const text = readFileSync(path.join(folderOf(file, server), SERVER_FILE), 'utf8');
    const { hostname, port } = new URL(url);
    return hostname === '127.0.0.1' && (JSON.parse(text) as { port?: number }).port === Number(port);
  } catch {
    return false;
  }
}
