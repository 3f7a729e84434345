/** A fleet of real nodes (`src/fleet`) on a simulated clock, network and etcd; cameras are simulated, too. */
import { Fleet } from '../../src/fleet/fleet';
import { Keys, type NodeRecord } from '../../src/fleet/facts';
import type { FleetCamera } from '../../src/fleet/options';
import type { Log } from '../../src/log/log';
import type { Random } from '../random';
import { SimulatedClock } from './clock';
import { SimulatedEtcd } from './etcd';
import { hashOf } from '../../src/fleet/loads';
import { relocations, type PlacedCamera, type PlacementNode } from '../../src/fleet/placement';
import { Link, type AsWritten } from './link';
import { MoveWitness } from './moves';
import { SharedPlacement } from './placement';
import { RestWitness } from './rest';
import { Witness } from './witness';

const nothing = () => undefined;
const SILENT: Log = { error: nothing, warn: nothing, info: nothing, debug: nothing };
/** A camera's first picture comes this long after its start, and it stops within this time. */
const FIRST_PICTURE_MS = 1500;
const STOP_MS = 300;
const PICTURES_MS = 5000;
/** Pictures are simulated for this long after an event: at other times they are not needed. */
const EVENTFUL_MS = 300_000;

export interface SimulatedNode {
  readonly name: string;
  readonly link: Link;
  readonly fleet: Fleet;
  running: Set<string>;
}

export class SimulatedWorld {
  readonly clock = new SimulatedClock();
  readonly etcd = new SimulatedEtcd(this.clock);
  readonly nodes = new Map<string, SimulatedNode>();
  readonly witness: Witness;
  readonly moves: MoveWitness;
  readonly rest: RestWitness;
  readonly #keys = new Keys('simulated');
  readonly #placement = new SharedPlacement();
  #configured: readonly FleetCamera[] = [];
  readonly #ranked: readonly PlacedCamera[];
  /** Until when cameras have no picture. */
  readonly #silentUntilMs = new Map<string, number>();
  happenedMs = 0;

  constructor(
    readonly cameras: readonly FleetCamera[],
    private readonly random: Random,
    private readonly asWritten: AsWritten = (value) => value,
  ) {
    this.witness = new Witness(cameras, () => this.clock.nowMs);
    this.#ranked = cameras.map(({ id, weight }) => ({ id, weight, rank: hashOf(id) }));
    const violated = (text: string) => this.witness.violated(text);
    this.moves = new MoveWitness(this.#keys, () => this.clock.nowMs, violated);
    this.rest = new RestWitness(this, () => this.clock.nowMs, violated);
    this.etcd.watch((events) => this.moves.see(events));
  }

  /** The nodes are notified of the cameras. */
  configure(): void {
    this.#configured = this.cameras;
    this.witness.excuse(this.clock.nowMs);
    for (const { fleet } of this.nodes.values()) fleet.consider();
  }

  start(name: string): SimulatedNode {
    const link = new Link(name, this.etcd, this.clock, this.random, this.asWritten);
    const running = new Set<string>();
    const fleet: Fleet = new Fleet({
      placement: (cameras, members) => this.#placement.of(cameras, members),
      ...{ etcd: link.client, clock: link.fleetClock, name: 'simulated', node: name },
      ...{ holder: { id: name, name: `daemon ${name}` }, capacity: 1, version: 'simulated' },
      ...{ cameras: () => this.#configured, configuration: () => 'same', secret: undefined, log: SILENT },
      onHeld: (ids, arriving) => this.#hold(name, new Set([...ids, ...arriving.keys()])),
      onRefused: ({ message }) => this.witness.violations.push(message),
    });
    this.nodes.set(name, { name, link, fleet, running });
    fleet.start();
    this.#takePictures(name);
    this.happens();
    return this.nodes.get(name) as SimulatedNode;
  }

  /** SIGKILL, or the end of a drain. */
  die(name: string): void {
    this.nodes.get(name)?.link.die();
    this.nodes.delete(name);
    this.witness.stopsAll(name);
    this.happens();
  }

  freeze(name: string, ms: number): void {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    node.link.freeze(ms);
    this.witness.stopsAll(name);
    this.clock.after(ms, () => {
      if (this.nodes.get(name) !== node) return;
      for (const camera of node.running) this.witness.starts(name, camera);
      this.happens();
    });
    this.happens();
  }

  cut(name: string, isCut: boolean): void {
    const node = this.nodes.get(name);
    if (node !== undefined) node.link.isCut = isCut;
    this.happens();
  }

  /** A camera without a picture moves in another way. */
  silence(camera: string, ms: number): void {
    this.#silentUntilMs.set(camera, this.clock.nowMs + ms);
  }

  setQuorum(has: boolean): void {
    this.etcd.hasQuorum = has;
    this.witness.excuse(has ? this.clock.nowMs : Infinity);
    this.happens();
  }

  happens(): void {
    this.happenedMs = this.clock.nowMs;
  }

  get hasQuorum(): boolean {
    return this.etcd.hasQuorum;
  }

  /** A node says that cameras are to move for its balance. */
  get isBalancing(): boolean {
    return this.#nodeRecords.some(([, { isBalancing }]) => isBalancing === true);
  }

  /** What nodes that reach etcd believe of the owners of cameras, where it says something else, in a sentence each. */
  get mistakes(): ReadonlySet<string> {
    const mistakes = new Set<string>();
    for (const { name, link, fleet } of this.nodes.values()) {
      if (!link.runs || !link.reaches) continue;
      const believed = new Map(fleet.status().cameras.map(({ id, node }) => [id, node]));
      for (const [id, { node }] of this.moves.owners)
        if (believed.get(id) !== node)
          mistakes.add(
            `${name} believes that ${id} is on ${believed.get(id) ?? 'no node'}, and it is on ${node}`,
          );
    }
    return mistakes;
  }

  /** Cameras that are to move for balance. */
  get due(): number {
    const members = this.#members;
    const { owners } = this.moves;
    const cameras = this.#ranked.map((camera) => ({
      ...camera,
      owner: owners.get(camera.id)?.node,
      to: owners.get(camera.id)?.to,
    }));
    const names = new Set(members.map(({ name }) => name));
    const due = [...relocations(cameras, members).keys()].filter((id) =>
      names.has(owners.get(id)?.node ?? ''),
    );
    return due.length;
  }

  /** Loads of the fullest and the emptiest member, relative to their shares. */
  get loads(): { readonly most: number; readonly least: number } {
    const members = this.#members;
    const share = this.#shareOf(members);
    const loads = new Map(members.map(({ name }) => [name, 0]));
    for (const { id, weight } of this.cameras) {
      const node = this.moves.owners.get(id)?.node ?? '';
      loads.set(node, (loads.get(node) ?? 0) + weight);
    }
    const all = members.map(({ name }) => (loads.get(name) ?? 0) / share);
    return { most: Math.max(...all), least: Math.min(...all) };
  }

  get grain(): number {
    return Math.max(...this.cameras.map(({ weight }) => weight)) / this.#shareOf(this.#members);
  }

  #shareOf(members: readonly PlacementNode[]): number {
    return this.cameras.reduce((sum, { weight }) => sum + weight, 0) / members.length;
  }

  get #members(): PlacementNode[] {
    return this.#nodeRecords.flatMap(([name, { state, capacity, isBalancing = false }]) =>
      state === 'member' ? [{ name, capacity, isBalancing }] : [],
    );
  }

  get #nodeRecords(): [string, NodeRecord][] {
    const folder = this.#keys.node('');
    return [...this.etcd.entries].flatMap(([key, { value }]) =>
      key.startsWith(folder) ? [[key.slice(folder.length), JSON.parse(value) as NodeRecord]] : [],
    );
  }

  #hold(name: string, wanted: ReadonlySet<string>): Promise<void> {
    const node = this.nodes.get(name);
    if (node === undefined) return new Promise(() => undefined);
    const stopped = [...node.running].filter((camera) => !wanted.has(camera));
    const started = [...wanted].filter((camera) => !node.running.has(camera));
    node.running = new Set(wanted);
    for (const camera of started) {
      this.witness.starts(name, camera);
      node.link.after(FIRST_PICTURE_MS * (1 + this.random.next()), () => this.#picture(node, camera));
    }
    return new Promise((resolve) =>
      node.link.after(stopped.length === 0 ? 0 : STOP_MS, () => {
        for (const camera of stopped) if (!node.running.has(camera)) this.witness.stops(name, camera);
        resolve();
      }),
    );
  }

  #takePictures(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    node.link.after(PICTURES_MS, () => {
      if (this.clock.nowMs < this.happenedMs + EVENTFUL_MS)
        for (const camera of node.running) this.#picture(node, camera);
      this.#takePictures(name);
    });
  }

  #picture(node: SimulatedNode, camera: string): void {
    const capturedAt = this.clock.nowMs;
    const sequence = Math.floor(capturedAt / 1000);
    if (capturedAt < (this.#silentUntilMs.get(camera) ?? 0)) return;
    if (node.running.has(camera)) node.fleet.captured({ camera, capturedAt, sequence, clock: 'arrival' });
  }
}
