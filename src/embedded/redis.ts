/** A private redis-server for installations without one. */
import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import type { Log } from '../log/log';
import { ExitFault } from '../fault/fault';
import { overSocket, REDIS_SOCKET } from '../connections/redis-address';
import { openRedis } from '../connections/redis';
import { connectRedis } from '../connections/redis-connected';
import { findProgram } from '../os/orphans';
import { OWNER_ONLY, replaceFileSync } from '../os/replace-file';
import { choosePort, predecessorLeft, ServerProcess } from './server-process';
import { newPassword, readServiceMemory, writeServiceMemory } from './server-file';
import type { EmbeddedService } from './service';

/** A server that accepts the connection but does not answer is asked again until its start is due. */
const PING_MS = 2000;

export async function prepareRedis(
  dir: string,
  wanted: { readonly port?: number; readonly maxMemoryBytes?: number },
  log: Log,
  password = newPassword(),
): Promise<EmbeddedService> {
  const lockFile = path.join(dir, 'server.lock');
  await predecessorLeft(lockFile);
  const memory = readServiceMemory(dir);
  const port = await choosePort('redis', wanted.port, memory?.port);
  const url = `redis://default:${password}@127.0.0.1:${port}/0`;
  const ownUrl = overSocket(url, dir);
  writeServiceMemory(dir, { port });
  const configuration = path.join(dir, 'redis.conf');
  const maxMemoryBytes = wanted.maxMemoryBytes ?? affordableBytes(dir);
  replaceFileSync(configuration, redisConfiguration(dir, port, password, maxMemoryBytes), OWNER_ONLY);
  let server: ServerProcess | undefined;
  return {
    name: 'redis',
    url,
    ownUrl,
    start: async (startMs) => {
      const program = findProgram('redis-server');
      if (program === undefined) throw new ExitFault('missing-program', 'redis-server is not installed');
      server = new ServerProcess(
        {
          name: 'redis-server',
          program,
          args: [configuration],
          env: { PATH: process.env['PATH'] },
          cwd: dir,
          lockFile,
          onParentDeath: 'TERM',
        },
        log,
      );
      await server.ready(() => greet(ownUrl), startMs);
      return server;
    },
    stop: async (deadlineMs) => {
      await server?.stop(deadlineMs);
    },
  };
}

/** Snapshot every 60 s as Vigil's origin had, and an append-only file that narrows a crash's loss to a second. */
function redisConfiguration(dir: string, port: number, password: string, maxMemoryBytes: number): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    // Relative to the folder it runs in, whose path may be longer than a socket's may be.
    `unixsocket ${REDIS_SOCKET}`,
    'unixsocketperm 700',
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    'daemonize no',
    'logfile ""',
    'loglevel notice',
    'save 60 1',
    'appendonly yes',
    'appendfsync everysec',
    // Beyond this, writes are refused and frames wait in the spool, which is bounded too.
    `maxmemory ${maxMemoryBytes}`,
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** Less than this would be too little to be useful. */
const MIN_BYTES = 64 * 1024 * 1024;
/** An append-only file grows to twice its data, and is then rewritten beside the old one and two snapshots. */
const DISK_SHARE = 1 / 6;

/** Bytes that may be stored if no consumer removes any, without filling this machine's memory or disk. */
function affordableBytes(dir: string): number {
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const { bavail, bsize } = statfsSync(dir);
  return Math.max(MIN_BYTES, Math.floor(Math.min(memory / 2, bavail * bsize * DISK_SHARE)));
}

/**
 * Waits for its answer, and configures it to end at SIGTERM even if it cannot take its last snapshot, as on a
 * full disk: otherwise a killed daemon would leave it behind. Everything is in the append-only file. Redis
 * before 7.0 does not know the setting.
 */
async function greet(url: string): Promise<void> {
  const options = { lazyConnect: true, retryStrategy: () => null, commandTimeout: PING_MS };
  const client = openRedis(url, options);
  client.on('error', () => undefined);
  try {
    await connectRedis(client, PING_MS);
    await client.ping();
    await client.config('SET', 'shutdown-on-sigterm', 'force').catch(() => undefined);
  } finally {
    client.disconnect();
  }
}
