/** Real etcd nodes on loopback that form a cluster, each of which a test may kill, freeze and start again on its data. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Etcd } from '../src/etcd/etcd';
import { freePort } from './free-port';
import { spawnOwned, waitUntil, type OwnedProcess } from './process';

/** Three nodes on two busy cores. */
const START_MS = 60_000;

export interface EtcdNode {
  readonly endpoint: string;
  /** Starts it, on its data if it ran before. */
  start(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export interface EtcdCluster {
  readonly endpoints: readonly string[];
  readonly nodes: readonly EtcdNode[];
  /** All answer: there is a quorum. */
  answers(): Promise<void>;
  stop(): Promise<void>;
}

export interface EtcdClusterOptions {
  readonly size?: number;
  /** For clients: `https` with these options of etcd. */
  readonly tls?: readonly string[];
}

export async function startEtcd({ size = 3, tls }: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-etcd-'));
  const scheme = tls === undefined ? 'http' : 'https';
  const members: { name: string; peer: string; client: string }[] = [];
  for (let i = 0; i < size; i++) {
    const [peer, client] = [await freePort(), await freePort()];
    members.push({
      name: `n${i}`,
      peer: `http://127.0.0.1:${peer}`,
      client: `${scheme}://127.0.0.1:${client}`,
    });
  }
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const nodes = members.map(({ name, peer, client }) => {
    const urls = [
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ];
    return new Node(client, [
      ...['--name', name, '--data-dir', path.join(dir, name), ...urls, ...(tls ?? [])],
      ...['--initial-cluster', cluster, '--initial-cluster-token', path.basename(dir)],
      // Nothing of it outlives the test.
      ...['--unsafe-no-fsync', '--log-level', 'error', '--logger', 'zap'],
    ]);
  });
  const endpoints = members.map(({ client }) => client);
  const answers = async () => {
    const clients = endpoints.map((endpoint) => new Etcd({ endpoints: [endpoint] }));
    await Promise.all(
      clients.map((etcd) => waitUntil('etcd answers', () => etcd.list('a').then(yes, no), START_MS)),
    );
    await Promise.all(clients.map((etcd) => etcd.close()));
  };
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
    if (tls === undefined) await answers();
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoints, nodes, answers, stop };
}

function yes(): boolean {
  return true;
}

function no(): boolean {
  return false;
}

class Node implements EtcdNode {
  #program: OwnedProcess | undefined;

  constructor(
    readonly endpoint: string,
    private readonly args: readonly string[],
  ) {}

  async start(): Promise<void> {
    this.#program = await spawnOwned('etcd', this.args);
    this.#program.stdout.resume();
  }

  async kill(): Promise<void> {
    this.#program?.signal('SIGKILL');
    await this.#program?.exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#program?.signal(name);
  }
}
