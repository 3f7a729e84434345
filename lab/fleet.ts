/** Daemons that form a fleet on an etcd of a test, and what was announced of their cameras. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { askDaemon } from '../src/control/client';
import type { FleetStatus } from '../src/fleet/status';
import type { Summary } from '../src/ledger/summary';
import { vigil } from './command';
import { newDir, startDaemon, type Daemon } from './daemon';
import { listen, newNamespace, remoteServers, type Listener } from './events';
import { waitUntil } from './process';

/** The lease, and a camera's start, on a noisy machine. */
const TAKEN_MS = 60_000;

export interface Node {
  readonly name: string;
  readonly daemon: Daemon;
}

export interface FleetOptions {
  /** Endpoints. */
  readonly etcd: readonly string[];
  readonly cameras: readonly { readonly id: string }[];
  /** Where its events are; those of the test run without. */
  readonly listen?: (namespace: string) => Promise<Listener>;
  /** Called with what is to be done at the end. */
  readonly after: (close: () => Promise<void>) => void;
}

interface NodeOptions {
  readonly dir?: string;
  readonly etcd?: readonly string[];
  /** More of the configuration's `fleet`. */
  readonly fleet?: object;
  /** More of the configuration. */
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Stands in the file of this node. */
  readonly comment?: string;
  /** Entry of the program; that of this checkout without. */
  readonly main?: string | undefined;
  /** Command that it is run by. */
  readonly under?: readonly string[];
}

export class Fleet {
  readonly namespace = newNamespace();
  readonly nodes: Node[] = [];
  events!: Listener;

  private constructor(private readonly options: FleetOptions) {}

  static async open(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    fleet.events = await (options.listen ?? listen)(fleet.namespace);
    options.after(() => fleet.events.close());
    return fleet;
  }

  config(node: string, etcd: readonly string[], more: object): object {
    const fleet = { etcd, name: this.namespace, node, ...more };
    const { cameras } = this.options;
    return { namespace: this.namespace, ...remoteServers(), http: false, fleet, cameras };
  }

  start(name: string, { dir = newDir(), etcd = this.options.etcd, ...more }: NodeOptions = {}): Node {
    const { fleet = {}, config = {}, env = {}, comment = '', under = [], main } = more;
    const text = `${JSON.stringify({ ...this.config(name, etcd, fleet), ...config })}\n${comment}`;
    const daemon = startDaemon({ config: text, dir, env, under, ...(main !== undefined && { main }) });
    const node = { name, daemon };
    this.nodes.push(node);
    this.options.after(async () => {
      daemon.signal('SIGCONT');
      await daemon.kill();
    });
    return node;
  }

  get ids(): string[] {
    return this.options.cameras.map(({ id }) => id);
  }

  async status(node: Node): Promise<FleetStatus> {
    const { fleet } = (await askDaemon(node.daemon.dataDir, '/fleet')) as { fleet: FleetStatus };
    return fleet;
  }

  /** The cameras as a node knows them; none of one that has just been started. */
  async seenBy(node: Node): Promise<FleetStatus> {
    return this.status(node).catch((error: unknown) => {
      if (node.daemon.log.some(({ message }) => message.startsWith('stopped'))) throw error;
      return { fleet: '', node: '', state: 'joining', nodes: [], cameras: [], unowned: [] };
    });
  }

  /** Waits until every camera is on one of these nodes, and says on which. */
  async shared(nodes: readonly Node[]): Promise<Map<string, string>> {
    const names = nodes.map(({ name }) => name);
    let owners = new Map<string, string>();
    await waitUntil(
      `every camera is on ${names.join(' or ')}, and all know`,
      async () => {
        const seen = await Promise.all(nodes.map((node) => this.seenBy(node)));
        owners = new Map(seen[0]?.cameras.map(({ id, node }) => [id, node]));
        return seen.every(
          ({ cameras }) =>
            cameras.length === this.ids.length &&
            cameras.every(({ id, node }) => names.includes(node) && owners.get(id) === node),
        );
      },
      TAKEN_MS,
    );
    return owners;
  }

  /** Waits until each camera announces again. */
  async announcing(cameras: readonly string[] = this.ids): Promise<void> {
    const before = new Map(cameras.map((id) => [id, this.events.frames(id).length]));
    for (const [id, count] of before) await this.events.gotFrames(id, count + 2, TAKEN_MS);
  }

  /** `status --fleet` and `ledger --fleet` of a node cover all nodes, including those that have gone. */
  async assertSeen(node: Node): Promise<void> {
    const { status, stdout } = vigil(['status', '--fleet', '--json', '--data-dir', node.daemon.dataDir]);
    assert.equal(status, 0, stdout);
    const { cameras } = JSON.parse(stdout) as FleetStatus;
    assert.deepEqual(cameras.map(({ id }) => id).sort(), this.ids);
    assert.ok(
      cameras.some(({ from, because }) => from === 'b' && because === 'drain'),
      stdout,
    );
    const ownFrames = (camera: string) =>
      this.events.frames(camera).filter((frame) => frame.node === node.name);
    const announced = (camera: string) => new Set(ownFrames(camera).map(({ sequence }) => sequence));
    const before = new Map(this.ids.map((id) => [id, announced(id)]));
    await waitUntil('the ledgers have been copied', () => {
      const config = path.join(node.daemon.dir, 'actors.json');
      const ledger = vigil(['ledger', '--fleet', '--json', '--config', config]);
      const { cameras: found } = JSON.parse(ledger.stdout) as Summary;
      assert.equal(found.length, this.ids.length, ledger.stdout);
      return found.every(({ camera, periods, confirmed, waiting, dropped, gap, exceptions }) => {
        const sum = (counts: Readonly<Record<string, number>>) =>
          Object.values(counts).reduce((total, count) => total + count, 0);
        assert.equal(confirmed + waiting + sum(dropped) + sum(gap), periods);
        const open = exceptions.flatMap(({ firstSequence: first, lastSequence: last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        const known = before.get(camera) ?? new Set();
        // What a killed node announced last may not be in its files.
        return confirmed >= known.size && !open.some((sequence) => known.has(sequence));
      });
    });
  }

  /**
   * No period of a camera has two pictures. A node that was killed between a message and its mark sends that message again when
   * it is back, with the same id (docs/fleet.md).
   */
  assertOnce(): void {
    for (const id of this.ids) {
      const pictures = new Map(this.events.frames(id).map(({ key, sequence }) => [key, sequence]));
      const periods = [...pictures.values()];
      const twice = periods.filter((sequence, i) => periods.indexOf(sequence) !== i);
      assert.deepEqual(twice, [], `${id} was announced twice for periods ${twice.join(', ')}`);
    }
  }
}
