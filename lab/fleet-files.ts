/** Nodes of a fleet with their files, and the key of etcd that they share, in one process: nothing is sent or read before a test says so. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Topology } from '../src/config/topology';
import type { Compare, KeyValue, Operation } from '../src/etcd/etcd';
import { Fault } from '../src/fault/fault';
import { SharedConfiguration } from '../src/fleet/shared-configuration';
import { DataFiles } from '../src/supervisor/data-files';
import { FleetFile } from '../src/supervisor/fleet-file';
import { LiveConfiguration } from '../src/supervisor/live-configuration';
import { NOTHING } from './live-bench';
import { keptLog } from './kept-log';

const KEY = '/vigil/f/configuration';
export const SECRET = Buffer.alloc(32, 7);
export const SECRET_TEXT = SECRET.toString('base64');

/** One key of etcd, and the nodes that follow it. */
export class FleetFiles {
  entry: KeyValue | undefined;
  isAway = false;
  readonly dir = mkdtempSync(path.join(tmpdir(), 'vigil-fleet-file-'));
  readonly nodes = new Set<FleetFileNode>();
  #revision = 0;
  readonly etcd = {
    get: async () => {
      this.#throwIfAway();
      return this.entry;
    },
    transact: async ([condition]: readonly Compare[], [operation]: readonly Operation[]) => {
      this.#throwIfAway();
      const revision = condition !== undefined && 'modRevision' in condition ? condition.modRevision : 0;
      if (revision !== (this.entry?.modRevision ?? 0)) return false;
      if (operation !== undefined && 'value' in operation) this.put(operation.value);
      return true;
    },
  };

  constructor(t: TestContext) {
    t.after(() => {
      for (const node of this.nodes) node.stop();
      rmSync(this.dir, { recursive: true });
    });
  }

  put(value: string): void {
    this.entry = { key: KEY, value, createRevision: 1, modRevision: ++this.#revision };
  }

  /** Starts a node; with `text`, on that file. */
  async start(name: string, text?: string, options: NodeOptions = {}): Promise<FleetFileNode> {
    const dir = path.join(this.dir, name);
    const data = new DataFiles(path.join(dir, 'data'));
    mkdirSync(data.dir, { recursive: true });
    if (text !== undefined) writeFileSync(path.join(dir, 'actors.json'), text);
    const node = new FleetFileNode(this, name, dir, data, options);
    this.nodes.add(node);
    await node.see();
    return node;
  }

  /** Watches notify all nodes of what etcd has. */
  async tell(): Promise<void> {
    for (const node of this.nodes) await node.see();
  }

  #throwIfAway(): void {
    if (this.isAway) throw new Fault('etcd-away', 'etcd at e cannot be reached (ECONNREFUSED)');
  }
}

interface NodeOptions {
  readonly secret?: Buffer;
  readonly environment?: NodeJS.ProcessEnv;
}

export class FleetFileNode {
  readonly log = keptLog();
  readonly shared: SharedConfiguration;
  readonly live: LiveConfiguration;
  readonly fleetFile: FleetFile;
  running: Topology | undefined;

  constructor(
    private readonly world: FleetFiles,
    readonly name: string,
    readonly dir: string,
    private readonly data: DataFiles,
    { secret, environment = {} }: NodeOptions,
  ) {
    const { file, log, text } = this;
    this.shared = new SharedConfiguration({ etcd: world.etcd, key: KEY, fleet: 'f', node: name, secret });
    this.fleetFile = new FleetFile({ file, data, shared: this.shared, log });
    this.live = new LiveConfiguration({
      ...{ file, text, environment, log, fleet: this.fleetFile, onTaken: () => undefined },
      missing: () => [],
      supervisor: {
        plan: () => ({ plan: NOTHING, refused: [] }),
        claim: async () => undefined,
        apply: async (wanted) => {
          this.running = wanted;
        },
        behind: 0,
      },
    });
    // The file is looked at when a test says so.
    void this.live.watch(AbortSignal.abort());
  }

  get file(): string {
    return path.join(this.dir, 'actors.json');
  }

  get text(): string {
    return readFileSync(this.file, 'utf8');
  }

  get ids(): string {
    return this.running?.cameraIds.join() ?? '';
  }

  /** Files that were replaced. */
  get copies(): string[] {
    const folder = this.data.path('replaced-configuration');
    try {
      return readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    } catch {
      return [];
    }
  }

  said(pattern: RegExp): boolean {
    return this.log.lines.some(([, line]) => pattern.test(line));
  }

  get problems(): string {
    return (this.live.state.faults ?? []).map(({ path: at, problem }) => `${at} ${problem}`).join();
  }

  async see(): Promise<void> {
    this.shared.replace(this.world.entry === undefined ? [] : [this.world.entry]);
    await this.live.reload();
  }

  async save(text: string): Promise<void> {
    writeFileSync(this.file, text);
    await this.live.reload();
  }

  add(id: string): Promise<unknown> {
    return this.live.edit({ edit: { kind: 'put', camera: id, settings: { test: 'testsrc2' } } });
  }

  stop(): void {
    this.world.nodes.delete(this);
  }
}

/** A file with comments and keys of this node alone. */
export function fileOf(ids: readonly string[], more = ''): string {
  const cameras = ids.map((id) => `    { "id": "${id}", "test": "testsrc2" }`);
  return `{
  // of this machine
  "http": false,
  "redis": "redis://r.example", "rabbitmq": "amqp://b.example",
  "fleet": { "etcd": ["http://e.example:2379"] },${more}
  "cameras": [
${cameras.join(',\n')} // the last
  ]
}
`;
}
