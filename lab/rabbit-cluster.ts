/** Real RabbitMQ nodes on loopback that form a cluster, each of which a test may kill, freeze or cut off from the others. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dieWithParent } from '../src/os/orphans';
import { findRabbitmq } from '../src/embedded/rabbitmq-programs';
import { folderVariables } from '../src/embedded/rabbitmq-files';
import type { Network } from './fault-proxy';
import { PortMapper } from './port-mapper';
import { waitUntil } from './process';

/** Three nodes on two busy cores. */
const START_MS = 180_000;
/** Milliseconds within which more data are sent to a connection in use than to an idle one. */
const COUNT_MS = 2000;
const COOKIE = 'vigil-test-cluster';

export interface ClusterNode {
  readonly name: string;
  readonly port: number;
  signal(name: NodeJS.Signals): void;
  /** Starts it, on its data if it ran before; resolves when clients can connect. */
  start(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** Runs `rabbitmqctl` against it. */
  control(...args: string[]): Promise<string>;
  /** What lies between it and the other nodes; clients reach it all the same. */
  set network(network: Network);
}

export interface RabbitCluster {
  /** Names all hosts, in the order of {@link RabbitCluster.nodes}. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** The node that leads a quorum queue. */
  leaderOf(queue: string): Promise<ClusterNode>;
  /** Makes a node the leader of a quorum queue of the vhost `/`. */
  lead(queue: string, node: ClusterNode): Promise<void>;
  /** The node that a connection of that name leads to; of several, the one that is sent the most. */
  hostOf(name: string): Promise<ClusterNode>;
  stop(): Promise<void>;
}

export async function startCluster(size = 3): Promise<RabbitCluster> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-cluster-'));
  const ports = await freePorts(2 * size);
  const names = ports.slice(0, size).map((port) => `vigil${port}@localhost`);
  const mapper = new PortMapper(names.map(shortName));
  const nodes: Node[] = [];
  for (const [i, name] of names.entries()) {
    const [port = 0, distPort = 0] = [ports[i], ports[size + i]];
    const epmdPort = await mapper.serve(shortName(name));
    nodes.push(new Node(path.join(dir, `n${i}`), { name, port, distPort, names, mapper, epmdPort }));
  }
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await mapper.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const first = nodes[0];
  if (first === undefined) throw new Error('a cluster has nodes');
  try {
    // The others join the first one.
    for (const node of nodes) await node.start();
    await waitUntil('all nodes are members', async () => {
      const running = await first.control('eval', 'rabbit_nodes:all_running().');
      return names.every((name) => running.includes(name));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const leaderOf = async (queue: string) => {
    const rows = (await first.control('list_queues', 'name', 'leader')).split('\n');
    const leader = rows.map((row) => row.split('\t')).find(([name]) => name === queue)?.[1];
    const node = nodes.find(({ name }) => name === leader);
    if (node === undefined) throw new Error(`queue ${queue} has no leader: ${rows.join(', ')}`);
    return node;
  };
  return {
    url: `amqp://guest:guest@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}/`,
    nodes,
    leaderOf,
    lead: async (queue, node) => {
      const member = (name: string) => `{'%2F_${queue}', '${name}'}`;
      const leader = (await leaderOf(queue)).name;
      if (leader === node.name) return;
      await first.control('eval', `ra:transfer_leadership(${member(leader)}, ${member(node.name)}).`);
      await waitUntil('it leads', async () => (await leaderOf(queue)) === node);
    },
    hostOf: async (name) => {
      const received = async () => {
        const rows = await first.control('list_connections', 'pid', 'recv_oct', 'client_properties');
        const own = rows.split('\n').filter((row) => row.includes(`{"connection_name","${name}"}`));
        return new Map(own.map((row) => row.split('\t')).map(([pid = '', bytes]) => [pid, Number(bytes)]));
      };
      const before = await received();
      await sleep(COUNT_MS);
      const grown = [...(await received())].map(
        ([pid, bytes]) => [bytes - (before.get(pid) ?? 0), pid] as const,
      );
      const [, pid = ''] = grown.sort(([a], [b]) => b - a)[0] ?? [];
      const node = nodes.find((one) => pid.includes(one.name));
      if (node === undefined) throw new Error(`there is no connection "${name}"`);
      return node;
    },
    stop,
  };
}

function shortName(name: string): string {
  return name.slice(0, name.indexOf('@'));
}

interface NodeOptions {
  readonly name: string;
  readonly port: number;
  readonly distPort: number;
  readonly names: readonly string[];
  readonly mapper: PortMapper;
  /** Port of this node's own port mapper. */
  readonly epmdPort: number;
}

class Node implements ClusterNode {
  readonly name: string;
  readonly port: number;
  readonly #env: NodeJS.ProcessEnv;
  #server: ChildProcess | undefined;

  constructor(
    dir: string,
    private readonly options: NodeOptions,
  ) {
    const { name, port, distPort, names, epmdPort } = options;
    [this.name, this.port] = [name, port];
    for (const folder of ['home', 'mnesia', 'log', 'generated'])
      mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(dir, 'home', '.erlang.cookie'), COOKIE, { mode: 0o400 });
    writeFileSync(path.join(dir, 'enabled_plugins'), '[].\n');
    const lines = [
      `listeners.tcp.local = 127.0.0.1:${port}`,
      'cluster_formation.peer_discovery_backend = classic_config',
      // Which has no other node to wait for.
      `cluster_formation.classic_config.nodes.1 = ${names[0] ?? ''}`,
      'log.file = false',
      'log.console = true',
      'log.console.level = warning',
    ];
    writeFileSync(path.join(dir, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    this.#env = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      ERL_EPMD_PORT: String(epmdPort),
      ...folderVariables(dir),
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_NODENAME: name,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      ERL_FLAGS: '-start_epmd false +Bi +S 1',
      ERL_CRASH_DUMP_SECONDS: '0',
    };
  }

  async start(): Promise<void> {
    const server = run(findRabbitmq() ?? 'rabbitmq-server', [], this.#env);
    this.#server = server;
    // It listens when it has come up.
    await waitUntil(
      `${this.name} listens`,
      async () => {
        if (server.exitCode !== null) throw new Error(`${this.name} ended`);
        return accepts(this.port);
      },
      START_MS,
    );
  }

  set network(network: Network) {
    this.options.mapper.setNetwork(shortName(this.name), network);
  }

  signal(name: NodeJS.Signals): void {
    this.#server?.kill(name);
  }

  async control(...args: string[]): Promise<string> {
    const program = path.join(path.dirname(findRabbitmq() ?? ''), 'rabbitmqctl');
    const { stdout } = await promisify(execFile)(program, ['-q', '-n', this.name, ...args], {
      env: this.#env,
    });
    return stdout;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const command = dieWithParent('KILL', { program, args });
  return spawn(command.program, command.args, { env, stdio: 'ignore' });
}

/** Below the kernel's ephemeral ports (32768 and up), so that a restarted node finds its own port free. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = 22_000 + (process.pid % 90) * 10; ports.length < count && port < 32_000; port++)
    if (await isFree(port)) ports.push(port);
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.unref();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound === port));
    });
  });
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
