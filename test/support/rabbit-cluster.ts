/** Real RabbitMQ nodes on loopback that form a cluster, each of which a test may kill, freeze or cut off from the others. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { dieWithParent } from '../../src/process/orphans';
import { findEpmd, findRabbitmq } from '../../src/supervisor/services/programs';
import { folderVariables } from '../../src/supervisor/services/rabbitmq-files';
import { waitUntil } from './process';

/** Three nodes on two busy cores. */
const START_MS = 180_000;
const COOKIE = 'vigil-test-cluster';

export interface ClusterNode {
  readonly name: string;
  readonly port: number;
  signal(name: NodeJS.Signals): void;
  /** Starts it, on its data if it ran before; resolves when it is a member. */
  start(): Promise<void>;
  /** Runs `rabbitmqctl` against it. */
  control(...args: string[]): Promise<string>;
  /** Ends what it has with the other nodes, for good: it is reachable, and without them. */
  isolate(): Promise<void>;
}

export interface RabbitCluster {
  /** Names all hosts, in the order of {@link RabbitCluster.nodes}. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** The node that leads a quorum queue. */
  leaderOf(queue: string): Promise<ClusterNode>;
  stop(): Promise<void>;
}

export async function startCluster(size = 3): Promise<RabbitCluster> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-cluster-'));
  const [epmdPort = 0, ...ports] = await freePorts(1 + 2 * size);
  const names = ports.slice(0, size).map((port) => `vigil${String(port)}@localhost`);
  const common = { PATH: process.env['PATH'], LANG: 'C.UTF-8', ERL_EPMD_PORT: String(epmdPort) };
  const mapper = run(findEpmd() ?? 'epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], common);
  const nodes = names.map((name, i) => {
    const [port = 0, distPort = 0] = [ports[i], ports[size + i]];
    return new Node(path.join(dir, `n${String(i)}`), { name, port, distPort, names, common });
  });
  // The others join the first one.
  for (const node of nodes) await node.start();
  return {
    url: `amqp://guest:guest@${nodes.map(({ port }) => `127.0.0.1:${String(port)}`).join(',')}/`,
    nodes,
    leaderOf: async (queue) => {
      const rows = (await nodes[0]?.control('list_queues', 'name', 'leader'))?.split('\n') ?? [];
      const leader = rows.map((row) => row.split('\t')).find(([name]) => name === queue)?.[1];
      const node = nodes.find(({ name }) => name === leader);
      if (node === undefined) throw new Error(`queue ${queue} has no leader: ${rows.join(', ')}`);
      return node;
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      mapper.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface NodeOptions {
  readonly name: string;
  readonly port: number;
  readonly distPort: number;
  readonly names: readonly string[];
  readonly common: NodeJS.ProcessEnv;
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
    const { name, port, distPort, names, common } = options;
    [this.name, this.port] = [name, port];
    for (const folder of ['home', 'mnesia', 'log', 'generated'])
      mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(dir, 'home', '.erlang.cookie'), COOKIE, { mode: 0o400 });
    writeFileSync(path.join(dir, 'enabled_plugins'), '[].\n');
    const members = names.map(
      (node, i) => `cluster_formation.classic_config.nodes.${String(i + 1)} = ${node}`,
    );
    const lines = [
      `listeners.tcp.local = 127.0.0.1:${String(port)}`,
      'cluster_formation.peer_discovery_backend = classic_config',
      ...members,
      'log.file = false',
      'log.console = true',
      'log.console.level = warning',
    ];
    writeFileSync(path.join(dir, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    this.#env = {
      ...common,
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
    this.#server = run(findRabbitmq() ?? 'rabbitmq-server', [], this.#env);
    await waitUntil(
      `${this.name} runs, and is a member`,
      async () => {
        if (this.#server?.exitCode !== null) throw new Error(`${this.name} ended`);
        const running = await this.control('eval', 'rabbit_nodes:all_running().').catch(() => '');
        return running.includes(this.name);
      },
      START_MS,
    );
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

  async isolate(): Promise<void> {
    const others = this.options.names.filter((name) => name !== this.name).map((name) => `'${name}'`);
    // Neither side is let in again: the cookies differ from now on.
    const expression = `[begin rpc:call(N, erlang, set_cookie, [node(), other]), erlang:set_cookie(N, another), erlang:disconnect_node(N) end || N <- [${others.join(',')}]].`;
    await this.control('eval', expression);
  }

  async stop(): Promise<void> {
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

/** Below the ports that the kernel gives out by itself (32768 and up): a node that is restarted finds its own free. */
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
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => {
        resolve(bound === port);
      });
    });
  });
}
