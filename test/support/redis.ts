/** Private redis-servers that a test may break: one, a Cluster of three, or a primary with a replica and a Sentinel. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Redis from 'ioredis';
import { spawnOwned, waitUntil, type OwnedProcess } from './process';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly process: OwnedProcess;
  command(...words: (string | number)[]): Promise<unknown>;
  /** SIGKILL, and starts it again on its data. */
  restart(): Promise<void>;
}

export interface RedisServers {
  readonly servers: RedisServer[];
  stop(): Promise<void>;
}

/** Starts `redis-server` once for each list of options. */
export async function startRedis(...options: readonly (readonly string[])[]): Promise<RedisServers> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-redis-'));
  const servers = await Promise.all(options.map((own, i) => startOne(path.join(dir, String(i)), own)));
  return {
    servers,
    stop: async () => {
      for (const server of servers) server.process.signal('SIGCONT');
      await Promise.all(servers.map((server) => server.process.end()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startOne(dir: string, options: readonly string[]): Promise<RedisServer> {
  mkdirSync(dir);
  const port = await freePort();
  const file = path.join(dir, 'redis.conf');
  writeFileSync(
    file,
    ['bind 127.0.0.1', `port ${String(port)}`, `dir ${dir}`, 'logfile log', ...options, ''].join('\n'),
  );
  const sentinel = options.some((option) => option.startsWith('sentinel '));
  const command = async (...words: (string | number)[]): Promise<unknown> => {
    const client = new Redis(port, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const [name = '', ...rest] = words.map(String);
      return await client.call(name, ...rest);
    } finally {
      client.disconnect();
    }
  };
  const start = async () => {
    const child = await spawnOwned('redis-server', sentinel ? [file, '--sentinel'] : [file]);
    child.stdout.resume();
    await waitUntil(`redis answers on port ${String(port)}`, () =>
      command('PING').then(
        () => true,
        () => false,
      ),
    );
    return child;
  };
  let child = await start();
  return {
    port,
    url: `redis://127.0.0.1:${String(port)}`,
    get process() {
      return child;
    },
    command,
    restart: async () => {
      child.signal('SIGKILL');
      await child.exited;
      child = await start();
    },
  };
}

/** Three primaries that hold all keys between them, and the URL of the whole. */
export async function startCluster(): Promise<RedisServers & { url: string }> {
  const option = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'save ""', 'appendonly yes'];
  const cluster = await startRedis(option, option, option);
  const { servers } = cluster;
  const [first] = servers;
  const slots = [0, 5461, 10_923, 16_384];
  for (const [i, server] of servers.entries()) {
    await server.command('CLUSTER', 'ADDSLOTSRANGE', slots[i] ?? 0, (slots[i + 1] ?? 0) - 1);
    if (i > 0) await server.command('CLUSTER', 'MEET', '127.0.0.1', first?.port ?? 0);
  }
  await waitUntil('the cluster is whole', async () => {
    const told = await Promise.all(servers.map((server) => server.command('CLUSTER', 'INFO')));
    return told.every((info) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(info)));
  });
  const hosts = servers.map(({ port }) => `127.0.0.1:${String(port)}`).join(',');
  return { ...cluster, url: `redis-cluster://${hosts}` };
}

/** A primary, its replica, and a Sentinel that replaces the first by the second a second after it has gone silent. */
export async function startSentinel(): Promise<RedisServers & { url: string }> {
  const primary = await startRedis(['save ""']);
  const [{ port } = { port: 0 }] = primary.servers;
  const replica = await startRedis(['save ""', `replicaof 127.0.0.1 ${String(port)}`]);
  const sentinel = await startRedis([
    `sentinel monitor mymaster 127.0.0.1 ${String(port)} 1`,
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 3000',
  ]);
  const [watcher] = sentinel.servers;
  await waitUntil('the sentinel knows the replica', async () => {
    const replicas = await watcher?.command('SENTINEL', 'REPLICAS', 'mymaster');
    return Array.isArray(replicas) && replicas.length === 1 && !JSON.stringify(replicas).includes('s_down');
  });
  return {
    servers: [...primary.servers, ...replica.servers, ...sentinel.servers],
    url: `redis-sentinel://127.0.0.1:1,127.0.0.1:${String(watcher?.port ?? 0)}?name=mymaster`,
    stop: async () => {
      for (const started of [sentinel, replica, primary]) await started.stop();
    },
  };
}

/** A port below those that Redis Cluster adds 10,000 to. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    if (port < 55_000) return port;
  }
}
