/** How every part of Vigil connects to Redis: a server, the master that Sentinels name, or a Cluster. */
import type { Readable } from 'node:stream';
import Redis, { Cluster, type RedisOptions } from 'ioredis';
import { lastingSocketPath } from '../os/local-socket';
import { REDIS_SOCKET, redisAddress, type RedisAddress } from './redis-address';
import { watchPrimaries } from './cluster-watch';
import { watchSentinels } from './sentinel-watch';
import { SentinelRounds } from './redis-sentinels';

export type RedisClient = Redis | Cluster;
export type RedisClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** @param options of every connection; `lazyConnect`, `retryStrategy` and `enableOfflineQueue` apply to a Cluster as a whole */
export function openRedis(url: string, options: RedisClientOptions): RedisClient {
  const address = redisAddress(url);
  switch (address.kind) {
    case 'server':
      return inItsDatabase(address.db, hearTurnedAway(openServer(address, options)));
    case 'sentinel': {
      const client = new Redis(sentinelOptions(address, options));
      watchSentinels(client);
      return inItsDatabase(address.db, hearTurnedAway(client));
    }
    case 'cluster':
      return openCluster(address, options);
  }
}

function openServer(
  { url, db, socketDir, username, password }: Extract<RedisAddress, { kind: 'server' }>,
  options: RedisClientOptions,
): Redis {
  if (socketDir === undefined) return new Redis(url, options);
  return new Redis({
    ...options,
    path: lastingSocketPath(socketDir, REDIS_SOCKET),
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
}

/** Message of a server that refuses a client: sent before any command, so ioredis treats it as the reply to its first. */
const TURNED_AWAY = /^-((?:DENIED|ERR max number of clients)[^\r\n]{0,200})/;

/** Emits such a refusal as an error: ioredis drops the replies to the commands of its handshake. */
function hearTurnedAway(client: Redis): Redis {
  client.on('connect', () => {
    const { stream } = client as unknown as { stream: Readable };
    stream.once('data', (bytes: Buffer | string) => {
      const said = TURNED_AWAY.exec(bytes.toString('latin1'))?.[1];
      if (said !== undefined && client.listenerCount('error') > 0) client.emit('error', new Error(said));
    });
  });
  return client;
}

/**
 * ioredis treats the refusal of a database like any other error, and continues in database 0, which no consumer reads.
 * Any failure before the connection is ready may have been that refusal: the connection is closed.
 */
function inItsDatabase(db: number, client: Redis): Redis {
  if (db === 0) return client;
  client.on('error', () => {
    if (client.status === 'connect') (client as unknown as { stream: Readable }).stream.destroy();
  });
  return client;
}

function sentinelOptions(
  { hosts, master, db, tls, sentinelLogin, username, password }: Extract<RedisAddress, { kind: 'sentinel' }>,
  options: RedisClientOptions,
): RedisClientOptions {
  return {
    ...options,
    sentinels: [...hosts],
    name: master,
    Connector: SentinelRounds,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(sentinelLogin.username === undefined ? {} : { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin.password === undefined ? {} : { sentinelPassword: sentinelLogin.password }),
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    // Without a number the client ends for good when no Sentinel answers.
    ...(typeof options.retryStrategy === 'function' ? { sentinelRetryStrategy: options.retryStrategy } : {}),
    ...(options.retryStrategy === null ? { sentinelRetryStrategy: () => null } : {}),
  };
}

function openCluster(
  { hosts, tls, username, password }: Extract<RedisAddress, { kind: 'cluster' }>,
  { lazyConnect, retryStrategy, enableOfflineQueue, ...options }: RedisClientOptions,
): Cluster {
  const cluster = new Cluster([...hosts], {
    ...(lazyConnect === undefined ? {} : { lazyConnect }),
    ...(enableOfflineQueue === undefined ? {} : { enableOfflineQueue }),
    ...(retryStrategy === undefined ? {} : { clusterRetryStrategy: retryStrategy }),
    // Nodes name each other by address; a certificate names hosts.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: {
      ...options,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: {} } : {}),
    },
  });
  watchPrimaries(cluster);
  return cluster;
}
