/** The cameras of a fleet and the files of its nodes: an edit on one is on all, and none is undone by a file that missed it. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Topology } from '../../../src/config/topology';
import type { Compare, Entry, Operation } from '../../../src/etcd/etcd';
import { Fault } from '../../../src/fault/fault';
import { SharedConfiguration } from '../../../src/fleet/shared-configuration';
import { DataDirectory } from '../../../src/supervisor/data-directory';
import { FleetFile } from '../../../src/supervisor/fleet-file';
import { LiveConfiguration } from '../../../src/supervisor/live-configuration';
import { keptLog } from '../../../lab/kept-log';

const KEY = '/vigil/f/configuration';
const NOTHING = { start: [], stop: [], restart: [], adjust: [], leave: [] };
const SECRET = Buffer.alloc(32, 7);
const SECRET_TEXT = SECRET.toString('base64');

/** One key of etcd, and the nodes that follow it. */
class World {
  entry: Entry | undefined;
  isAway = false;
  readonly dir = mkdtempSync(path.join(tmpdir(), 'vigil-fleet-file-'));
  readonly nodes = new Set<Node>();
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
  async start(name: string, text?: string, options: NodeOptions = {}): Promise<Node> {
    const dir = path.join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    if (text !== undefined) writeFileSync(path.join(dir, 'actors.json'), text);
    const data = await DataDirectory.open(path.join(dir, 'data'), () => undefined);
    const node = new Node(this, name, dir, data, options);
    this.nodes.add(node);
    await node.see();
    return node;
  }

  /** Watches tell all nodes what etcd has. */
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

class Node {
  readonly log = keptLog();
  readonly shared: SharedConfiguration;
  readonly live: LiveConfiguration;
  readonly fleetFile: FleetFile;
  running: Topology | undefined;

  constructor(
    private readonly world: World,
    readonly name: string,
    readonly dir: string,
    private readonly data: DataDirectory,
    { secret, environment = {} }: NodeOptions,
  ) {
    const { file, log, text } = this;
    this.shared = new SharedConfiguration({ etcd: world.etcd, key: KEY, fleet: 'f', node: name, secret });
    this.fleetFile = new FleetFile({ file, data, shared: this.shared, log });
    this.live = new LiveConfiguration({
      ...{ file, text, environment, log, fleet: this.fleetFile, onTaken: () => undefined },
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
    if (this.world.nodes.delete(this)) this.data.close();
  }
}

/** A file with comments and keys of this node alone. */
function fileOf(ids: readonly string[], more = ''): string {
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

describe('the cameras of a fleet', () => {
  test('are those of its first node, then those of the newest edit, and each file keeps its comments and own keys', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1'], '\n  "log": { "level": "debug" },'));
    assert.deepEqual([a.ids, b.ids, b.copies.length], ['c1', 'c1', 0]);
    await a.save(fileOf(['c1', 'c2']));
    await world.tell();
    assert.equal(b.ids, 'c1,c2');
    assert.match(b.text, /\/\/ of this machine/);
    assert.match(b.text, /"level": "debug"/);
    assert.match(b.text, /\/\/ the last/);
    assert.doesNotMatch(a.text, /debug/);
    assert.ok(a.said(/^published revision 2 of the fleet's cameras: adds camera c2$/));
    assert.ok(b.said(/^takes over revision 2 of the fleet's cameras from node "a": adds camera c2$/));
    await b.add('c3');
    await world.tell();
    assert.deepEqual([a.ids, b.ids], ['c1,c2,c3', 'c1,c2,c3']);
    assert.deepEqual([a.fleetFile.state?.revision, a.fleetFile.state?.node], [3, 'b']);
    assert.equal(a.fleetFile.id, b.fleetFile.id);
    assert.deepEqual([a.copies, b.copies], [[], []]);
  });

  test("are no longer changed by an edit of keys that are the node's own", async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    await a.save(fileOf(['c1'], '\n  "log": { "level": "warn" },'));
    assert.deepEqual([a.running?.logLevel, a.fleetFile.state?.revision], ['warn', 1]);
  });

  test('are those of the fleet on a node that joins with others, whose file is kept', async (t) => {
    const world = new World(t);
    await world.start('a', fileOf(['c1']));
    const mine = fileOf(['mine']);
    const b = await world.start('b', mine);
    assert.deepEqual([b.ids, b.copies], ['c1', [mine]]);
    assert.ok(b.said(/has other cameras than revision 1 of the fleet.*is kept in .*replaced-configuration/));
    const [name = ''] = readdirSync(path.join(b.dir, 'data', 'replaced-configuration'));
    assert.equal(statSync(path.join(b.dir, 'data', 'replaced-configuration', name)).mode & 0o777, 0o600);
  });

  test('are not undone by the file of a node that was away, edited or not', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    const c = await world.start('c', fileOf(['c1']));
    b.stop();
    c.stop();
    await a.save(fileOf(['c2']));
    const edited = fileOf(['c1', 'late']);
    const back = await world.start('b', edited);
    assert.deepEqual([back.ids, back.copies], ['c2', [edited]]);
    const same = await world.start('c');
    assert.deepEqual([same.ids, same.copies], ['c2', []]);
    await world.tell();
    assert.equal(a.ids, 'c2');
  });

  test('are those of a file that was edited while its node was stopped, if nobody else made an edit', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    b.stop();
    await world.start('b', fileOf(['c1', 'c2']));
    await world.tell();
    assert.deepEqual([a.ids, a.fleetFile.state?.revision], ['c1,c2', 2]);
  });

  test('change once by two edits at the same time: the other is told, and loses nothing', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    await a.add('c2');
    // Not told yet.
    await assert.rejects(b.add('c3'), (error: Error & { code?: string }) => {
      assert.match(
        error.message,
        /another edit of the fleet came first: revision 2, published by node "a"; nothing/,
      );
      return error.code === 'changed-meanwhile';
    });
    const mine = fileOf(['c1', 'c4']);
    await b.save(mine);
    assert.deepEqual([b.ids, b.copies], ['c1,c2', [mine]]);
    await world.tell();
    assert.deepEqual([a.ids, b.ids], ['c1,c2', 'c1,c2']);
    await b.add('c3');
    await world.tell();
    assert.equal(a.ids, 'c1,c2,c3');
  });

  test('are used on a node whose file is read-only, which says that it differs, also after a restart', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    chmodSync(b.file, 0o444);
    await a.add('c2');
    await world.tell();
    assert.equal(b.ids, 'c1,c2');
    assert.match(b.fleetFile.state?.differs ?? '', /read-only/);
    assert.ok(b.said(/differ from the fleet's, which are used: .*read-only/));
    b.stop();
    const again = await world.start('b');
    assert.deepEqual([again.ids, again.copies], ['c1,c2', []]);
    await again.add('c3');
    await world.tell();
    assert.deepEqual([a.ids, again.ids], ['c1,c2,c3', 'c1,c2,c3']);
    chmodSync(again.file, 0o644);
    await again.see();
    assert.equal(again.fleetFile.state?.differs, undefined);
    assert.match(again.text, /"c3"/);
  });

  test('are written again by the node that knows the newest when etcd has lost its data', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    b.stop();
    await a.add('c2');
    world.entry = undefined;
    a.stop();
    // It has missed the newest, and is back first.
    const old = await world.start('b');
    assert.equal(old.ids, 'c1');
    const back = await world.start('a');
    await world.tell();
    assert.deepEqual([back.ids, old.ids], ['c1,c2', 'c1,c2']);
    world.entry = undefined;
    const fresh = await world.start('z', fileOf(['z']));
    await world.tell();
    await world.tell();
    assert.deepEqual([fresh.ids, back.ids, fresh.copies.length], ['c1,c2', 'c1,c2', 1]);
  });

  test('stay as they are when etcd is away at an edit, of which nothing is applied until it is back', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    world.isAway = true;
    await assert.rejects(a.add('c2'), (error: Error & { code?: string }) => {
      assert.match(
        error.message,
        /could not be published to the fleet \(etcd at e cannot be reached.*nothing was changed/,
      );
      return error.code === 'fleet-away';
    });
    assert.equal(a.text, fileOf(['c1']));
    await a.save(fileOf(['c1', 'c3'], '\n  "log": { "level": "warn" },'));
    assert.deepEqual([a.ids, a.running?.logLevel], ['c1', 'info']);
    assert.match(a.problems, /are not shared with the fleet yet: etcd at e cannot be reached/);
    world.isAway = false;
    a.shared.answers();
    await a.live.reload();
    assert.deepEqual([a.ids, a.running?.logLevel, a.problems], ['c1,c3', 'warn', '']);
  });

  test('count as published when the answer of etcd was lost', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const { transact } = world.etcd;
    world.etcd.transact = async (...given) => {
      await transact(...given);
      return false;
    };
    await a.add('c2');
    assert.equal(a.fleetFile.state?.revision, 2);
  });

  test('reach a node whose file is broken, and a file that is mended later undoes nothing', async (t) => {
    const world = new World(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    await b.save('{');
    await a.add('c2');
    await world.tell();
    await world.tell();
    assert.deepEqual([b.ids, b.text], ['c1,c2', '{']);
    assert.match(b.problems, /is not JSON/);
    await b.save(fileOf(['c1']));
    assert.deepEqual([b.ids, b.problems], ['c1,c2', '']);
    await world.tell();
    assert.equal(a.ids, 'c1,c2');
  });

  test('are refused whole by a node that cannot run by them, which says which revision and why', async (t) => {
    const world = new World(t);
    const environment = { PLACE: 'cam.example' };
    const a = await world.start('a', fileOf(['c1']), { environment });
    const b = await world.start('b', fileOf(['c1']));
    const settings = { url: 'rtsp://${PLACE}/x' };
    await a.live.edit({ edit: { kind: 'put', camera: 'c2', settings } });
    assert.match(world.entry?.value ?? '', /rtsp:\/\/\$\{PLACE\}\/x/);
    await world.tell();
    assert.deepEqual([b.ids, b.text], ['c1', fileOf(['c1'])]);
    assert.match(b.live.state.refused ?? '', /^revision 2 of the fleet's cameras, published by node "a",$/);
    assert.match(b.problems, /\$\.cameras\[1\]\.url the environment variable PLACE is not set/);
    await a.live.edit({ edit: { kind: 'remove', camera: 'c2' } });
    await world.tell();
    assert.deepEqual([b.ids, b.problems, b.live.state.refused], ['c1', '', undefined]);
  });

  test('have their credentials sealed in etcd and in what nodes keep, and are opened with the key alone', async (t) => {
    const world = new World(t);
    const options = { secret: SECRET, environment: { VIGIL_FLEET_KEY: SECRET_TEXT } };
    const login = '\n  "cameraDefaults": { "username": "canary-user", "password": "canary-one" },';
    const text = fileOf(['c1'], login).replace(
      '"test": "testsrc2"',
      '"url": "rtsp://u:canary-two@cam.example/x"',
    );
    const a = await world.start('a', text, options);
    const b = await world.start('b', fileOf([]), options);
    assert.equal(b.text.match(/canary/g)?.length, 3);
    assert.doesNotMatch(world.entry?.value ?? 'canary', /canary/);
    assert.match(world.entry?.value ?? '', /"url":\{"sealed":\d\}/);
    const kept = () => readFileSync(path.join(b.dir, 'data', 'fleet-configuration.json'), 'utf8');
    assert.doesNotMatch(kept(), /canary/);
    const without = await world.start('c', fileOf(['c9']));
    assert.deepEqual([without.ids, without.fleetFile.isSettled], ['', false]);
    assert.match(
      without.problems,
      /has sealed credentials; set VIGIL_FLEET_KEY on this node to the key of that node/,
    );
    await assert.rejects(without.add('c8'), { code: 'fleet-away' });
    const other = await world.start('d', fileOf(['c9']), { ...options, secret: Buffer.alloc(32, 8) });
    assert.match(
      other.problems,
      /cannot be unsealed: VIGIL_FLEET_KEY of this node is not the key of that node/,
    );
    // Who can write to etcd cannot have a password sent elsewhere.
    a.stop();
    const { id, ...rest } = JSON.parse(world.entry?.value ?? '') as { id: string; cameras: object[] };
    const cameras = rest.cameras.map((camera) => ({ ...camera, rate: 2 }));
    world.put(JSON.stringify({ ...rest, id: `${id}x`, revision: 7, cameras }));
    await world.tell();
    assert.match(b.problems, /or the revision was changed in etcd/);
    assert.equal(b.running?.cameras[0]?.periodMs, 1000);
  });

  test('are none where something else stands in the place of them in etcd, which every node says', async (t) => {
    const world = new World(t);
    world.put('"hello"');
    const a = await world.start('a', fileOf(['c1']));
    assert.match(
      a.problems,
      /the key \/vigil\/f\/configuration in etcd is no configuration of a fleet; remove that key/,
    );
    assert.equal(a.fleetFile.isSettled, false);
  });
});
