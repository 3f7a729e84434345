/** Private redis-servers that a test may break: some, a Cluster, or a primary with replicas and Sentinels. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Redis from 'ioredis';
import { spawnOwned, waitUntil, type OwnedProcess } from './process';
import { freePort, isFree } from './free-port';

/** What Redis Cluster adds to a port for the bus between its servers. */
const BUS_OFFSET = 10_000;

/** A port for a server that may be of a Cluster: that of its bus is free, too. */
export async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort(65_536 - BUS_OFFSET);
    if (await isFree(port + BUS_OFFSET)) return port;
  }
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly process: OwnedProcess;
  command(...args: (string | number)[]): Promise<unknown>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** Starts it again, on its data. */
  start(): Promise<void>;
  /** {@link kill} and {@link start}. */
  restart(): Promise<void>;
}

export interface RedisServers {
  readonly servers: RedisServer[];
  stop(): Promise<void>;
}

/** Servers that replace each other. */
export interface RedisGroup extends RedisServers {
  readonly url: string;
  /** A server that frames are written to. */
  primary(): Promise<RedisServer>;
  /** Resolves when each primary has all its replicas. */
  whole(): Promise<void>;
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
  const port = await clusterPort();
  const file = path.join(dir, 'redis.conf');
  // Hosts that are network namespaces come from an address that is not loopback's.
  const own = ['bind 127.0.0.1', 'protected-mode no', `port ${port}`, `dir ${dir}`, 'logfile log'];
  writeFileSync(file, [...own, ...options, ''].join('\n'));
  const sentinel = options.some((option) => option.startsWith('sentinel '));
  const command = async (...args: (string | number)[]): Promise<unknown> => {
    const client = new Redis(port, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const [name = '', ...rest] = args.map(String);
      return await client.call(name, ...rest);
    } finally {
      client.disconnect();
    }
  };
  const start = async () => {
    const child = await spawnOwned('redis-server', sentinel ? [file, '--sentinel'] : [file]);
    child.stdout.resume();
    await waitUntil(`redis answers on port ${port}`, () =>
      command('PING').then(
        () => true,
        () => false,
      ),
    );
    return child;
  };
  let child = await start();
  const kill = async () => {
    child.signal('SIGKILL');
    await child.exited;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get process() {
      return child;
    },
    command,
    signal: (name) => child.signal(name),
    kill,
    start: async () => {
      child = await start();
    },
    restart: async () => {
      await kill();
      child = await start();
    },
  };
}

const PRIMARIES = 3;

/** Three primaries that hold all keys between them, each with this many replicas, and the URL of the whole. */
export async function startCluster({ replicas = 0, silentMs = 1000 } = {}): Promise<RedisGroup> {
  const option = ['cluster-enabled yes', `cluster-node-timeout ${silentMs}`, 'save ""', 'appendonly yes'];
  const size = PRIMARIES * (1 + replicas);
  const cluster = await startRedis(...Array.from({ length: size }, () => option));
  const { servers } = cluster;
  const [first] = servers;
  const slots = [0, 5461, 10_923, 16_384];
  for (const [i, server] of servers.entries()) {
    if (i < PRIMARIES)
      await server.command('CLUSTER', 'ADDSLOTSRANGE', slots[i] ?? 0, (slots[i + 1] ?? 0) - 1);
    if (i > 0) await server.command('CLUSTER', 'MEET', '127.0.0.1', first?.port ?? 0);
  }
  const toldByAll = async (pattern: RegExp) => {
    const told = await Promise.all(servers.map((server) => server.command('CLUSTER', 'INFO').catch(String)));
    return told.every((info) => pattern.test(String(info)));
  };
  const known = new RegExp(`cluster_known_nodes:${size}`);
  await waitUntil('all nodes know each other', () => toldByAll(known));
  for (const [i, server] of servers.slice(PRIMARIES).entries())
    await server.command(
      ...['CLUSTER', 'REPLICATE', String(await servers[i % PRIMARIES]?.command('CLUSTER', 'MYID'))],
    );
  const whole = async () => {
    await waitUntil('the cluster is whole', () => toldByAll(/cluster_state:ok/));
    await waitUntil('every primary has its replicas', () => haveReplicas(servers, PRIMARIES, replicas));
  };
  await whole();
  const hosts = servers.slice(0, PRIMARIES).map(({ port }) => `127.0.0.1:${port}`);
  return {
    ...cluster,
    url: `redis-cluster://${hosts.join(',')}`,
    primary: () => primaryOf(servers),
    whole,
  };
}

/** A primary, replicas, and Sentinels that replace the first when it has been silent for `silentMs`. */
export async function startSentinel({
  replicas = 1,
  sentinels = 1,
  silentMs = 1000,
} = {}): Promise<RedisGroup> {
  const primary = await startRedis(['save ""']);
  const [{ port } = { port: 0 }] = primary.servers;
  const following = ['save ""', `replicaof 127.0.0.1 ${port}`];
  const replica = await startRedis(...Array.from({ length: replicas }, () => following));
  const watching = [
    `sentinel monitor mymaster 127.0.0.1 ${port} ${Math.floor(sentinels / 2) + 1}`,
    `sentinel down-after-milliseconds mymaster ${silentMs}`,
    `sentinel failover-timeout mymaster ${3 * silentMs}`,
  ];
  const sentinel = await startRedis(...Array.from({ length: sentinels }, () => watching));
  const all = async (subcommand: string, count: number) => {
    const told = await Promise.all(
      sentinel.servers.map((server) => server.command('SENTINEL', subcommand, 'mymaster')),
    );
    return told.every(
      (others) =>
        Array.isArray(others) && others.length === count && !JSON.stringify(others).includes('s_down'),
    );
  };
  await waitUntil('the sentinels know each other', () => all('SENTINELS', sentinels - 1));
  await waitUntil('the sentinels know the replicas', () => all('REPLICAS', replicas));
  const data = [...primary.servers, ...replica.servers];
  const hosts = ['127.0.0.1:1', ...sentinel.servers.map((server) => `127.0.0.1:${server.port}`)];
  return {
    servers: [...data, ...sentinel.servers],
    url: `redis-sentinel://${hosts.join(',')}?name=mymaster`,
    primary: () => primaryOf(data),
    whole: () => waitUntil('the primary has its replicas', () => haveReplicas(data, 1, replicas)),
    stop: async () => {
      for (const started of [sentinel, replica, primary]) await started.stop();
    },
  };
}

/** What `INFO replication` says of each. */
async function replication(servers: readonly RedisServer[]): Promise<string[]> {
  return Promise.all(
    servers.map(async (server) => String(await server.command('INFO', 'replication').catch(() => ''))),
  );
}

async function primaryOf(servers: readonly RedisServer[]): Promise<RedisServer> {
  const told = await replication(servers);
  const found = servers[told.findIndex((info) => info.includes('role:master'))];
  if (found === undefined) throw new Error('no server is a primary');
  return found;
}

async function haveReplicas(
  servers: readonly RedisServer[],
  primaries: number,
  replicas: number,
): Promise<boolean> {
  const told = (await replication(servers)).filter((info) => info.includes('role:master'));
  const online = (info: string) => info.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
  return told.length === primaries && told.every((info) => online(info) === replicas);
}
