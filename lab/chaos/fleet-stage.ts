/** Three daemons, each on a host of its own, and three etcd, for the fault table of a fleet. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hostsOf } from '../../src/url/url';
import { startEtcd, type EtcdCluster } from '../etcd-cluster';
import { newDir } from '../daemon';
import { Fleet, type Node } from '../fleet';
import { waitUntil } from '../process';
import { SteadyListener } from '../steady-listener';
import { NodeHost } from './node-host';
import type { Stage } from './stage';

const CLOCK = path.resolve(__dirname, '../../test/fixtures/settable-clock.cjs');
/** Longer than a run: what expires has been lost by us. */
const EXPIRE_MS = 900_000;

export interface FleetStageOptions {
  readonly servers: Stage;
  readonly cameras: number;
  /** Entry of another version, for rows that change it. */
  readonly otherMain?: string | undefined;
}

export type ServerKind = 'etcd' | 'redis' | 'rabbitmq';

interface Equipment {
  readonly host: NodeHost;
  readonly clockFile: string;
}

export class FleetStage {
  /** The running nodes. */
  readonly nodes: Node[] = [];
  /** Equipment by node name; a restarted node keeps its own. */
  readonly #equipment = new Map<string, Equipment>();

  private constructor(
    readonly fleet: Fleet,
    readonly etcd: EtcdCluster,
    readonly servers: Stage,
    readonly otherMain: string | undefined,
    private readonly closing: (() => Promise<void>)[],
  ) {}

  /** Resolves when every camera announces. */
  static async open({ servers, cameras, otherMain }: FleetStageOptions): Promise<FleetStage> {
    const etcd = await startEtcd();
    const closing = [() => etcd.stop()];
    const fleet = await Fleet.open({
      etcd: etcd.endpoints,
      cameras: Array.from({ length: cameras }, (_, i) => ({ id: `c${i}`, test: 'testsrc2', width: 64 })),
      listen: (namespace) => SteadyListener.open(namespace, servers.amqpUrl),
      after: (close) => closing.push(close),
    });
    const stage = new FleetStage(fleet, etcd, servers, otherMain, closing);
    try {
      for (const name of ['a', 'b', 'c']) await stage.start(name);
      await stage.shared();
      await fleet.announcing();
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** @param main of the program; that of this checkout without */
  async start(name: string, dir = newDir(), main?: string): Promise<Node> {
    const { host, clockFile } = await this.#equip(name);
    const node = this.fleet.start(name, {
      ...{ dir, main, under: host.under, config: { frames: { expireMs: EXPIRE_MS } } },
      env: { NODE_OPTIONS: `--require ${CLOCK}`, NODE_VIGIL_CLOCK_FILE: clockFile },
    });
    this.nodes.push(node);
    return node;
  }

  /** Starts a node that has ended, on its data. */
  async restart({ name, daemon }: Node, main?: string): Promise<Node> {
    const node = await this.start(name, daemon.dir, main);
    await node.daemon.said(/is a member$/);
    return node;
  }

  /** Waits for the end of a node. */
  async gone(node: Node): Promise<void> {
    await node.daemon.exited;
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  host({ name }: Node): NodeHost {
    return this.#equipped(name).host;
  }

  /** That servers which are named to the nodes listen on. */
  ports(kind: ServerKind): number[] {
    const { redisUrl, amqpUrl } = this.servers;
    const urls = { etcd: this.etcd.endpoints, redis: hostsOf(redisUrl), rabbitmq: hostsOf(amqpUrl) }[kind];
    return urls.map((url) => Number(new URL(url).port));
  }

  /** Sets the clock of a node's Node processes by so much. */
  setClock({ name }: Node, offsetMs: number): void {
    const { clockFile } = this.#equipped(name);
    // At once and whole: it is read all the time.
    writeFileSync(`${clockFile}.new`, String(offsetMs));
    renameSync(`${clockFile}.new`, clockFile);
  }

  /** Waits until every camera is on one of these nodes, all of them know it, and each announces again. */
  async shared(nodes: readonly Node[] = this.nodes): Promise<Map<string, string>> {
    const owners = await this.fleet.shared(nodes);
    await this.fleet.announcing();
    return owners;
  }

  /** The node with most cameras, and these: a node that has just come back may have none. */
  async busiest(): Promise<{ victim: Node; cameras: string[] }> {
    const owners = await this.fleet.shared(this.nodes);
    const of = ({ name }: Node) => [...owners].filter(([, owner]) => owner === name).map(([id]) => id);
    const victim = this.nodes.toSorted((a, b) => of(b).length - of(a).length)[0];
    if (victim === undefined) throw new Error('no node runs');
    return { victim, cameras: of(victim) };
  }

  others(node: Node): Node[] {
    return this.nodes.filter((other) => other !== node);
  }

  async close(): Promise<void> {
    try {
      for (const close of this.closing.toReversed()) await close();
    } finally {
      for (const { host } of this.#equipment.values()) await host.remove();
    }
  }

  async #equip(name: string): Promise<Equipment> {
    const known = this.#equipment.get(name);
    if (known !== undefined) return known;
    const equipment = { host: await NodeHost.open(name), clockFile: path.join(newDir(), 'clock') };
    writeFileSync(equipment.clockFile, '0');
    this.#equipment.set(name, equipment);
    return equipment;
  }

  #equipped(name: string): Equipment {
    const equipment = this.#equipment.get(name);
    if (equipment === undefined) throw new Error(`node ${name} was not started`);
    return equipment;
  }
}

/** For as long as a fault lasts. */
export async function passed(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await waitUntil('the fault has lasted', () => performance.now() > endMs, ms + 10_000);
}
