/** A private redis-server for those who have none. */
import path from 'node:path';
import Redis from 'ioredis';
import type { Log } from '../../log/log';
import { Fault } from '../../protocol/fault';
import { findProgram } from '../../process/orphans';
import { choosePort, predecessorLeft, ServerProcess } from './server-process';
import { passwordFor, readServiceMemory, writePrivate, writeServiceMemory } from './memory';
import type { EmbeddedService } from './service';

export async function prepareRedis(
  dir: string,
  wantedPort: number | undefined,
  log: Log,
): Promise<EmbeddedService> {
  const lockFile = path.join(dir, 'server.lock');
  await predecessorLeft(lockFile);
  const memory = readServiceMemory(dir);
  const port = await choosePort('redis', wantedPort, memory?.port);
  const password = passwordFor(port, memory);
  const url = `redis://default:${password}@127.0.0.1:${String(port)}/0`;
  writeServiceMemory(dir, { port, password });
  const configuration = path.join(dir, 'redis.conf');
  writePrivate(configuration, redisConfiguration(dir, port, password));
  let server: ServerProcess | undefined;
  return {
    name: 'redis',
    url,
    start: async (startMs) => {
      const program = findProgram('redis-server');
      if (program === undefined) throw new Fault('missing-program', 'redis-server is not installed');
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
      await server.ready(() => ping(url), startMs);
      return server;
    },
    stop: async (deadlineMs) => {
      await server?.stop(deadlineMs);
    },
  };
}

/** Snapshot every 60 s as Vigil's origin had, and an append-only file that narrows a crash's loss to a second. */
function redisConfiguration(dir: string, port: number, password: string): string {
  return [
    'bind 127.0.0.1',
    `port ${String(port)}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    'daemonize no',
    'logfile ""',
    'loglevel notice',
    'save 60 1',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
