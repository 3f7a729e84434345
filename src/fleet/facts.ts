/** What the members of a fleet know about each other, read from keys in etcd. Pure. */
import type { KeyValue, EtcdEvent } from '../etcd/etcd';
import type { Numbered } from '../protocol/numbered';
import { Owners } from './owners';
import { parsedNode, parsedOwner } from './records';

/** What a node publishes about itself, under its lease. */
export interface NodeRecord {
  /** Identifies the data directory: the same after a restart, different on every node. */
  readonly id: string;
  /** For people: `daemon with pid 12 on host cam-server (data directory /srv/vigil)`. */
  readonly address: string;
  readonly state: 'member' | 'draining';
  readonly capacity: number;
  readonly version: string;
  /** Name of its configuration of cameras: nodes with another name have another configuration. */
  readonly configuration: string;
  /** Measured costs of its cameras, thousandths of a processor; absent if nothing was measured. */
  readonly costs?: Readonly<Record<string, number>>;
  /** Present while cameras still have to move for the balance of this node. */
  readonly isBalancing?: boolean;
  /** When it was written, by the node's clock, milliseconds since the epoch; absent from earlier versions. */
  readonly clockMs?: number;
  /** Rises with every write, by which the node sees that its watch is alive. */
  readonly beat: number;
}

/**
 * Why a camera came to its node. `new`: no node had it. `node-lost`: the lease of the previous node has
 * ended. `drain`: the previous node drains. `balance`: it had more than its share, or does not know the
 * camera.
 */
export type Because = 'new' | 'node-lost' | 'drain' | 'balance';

export interface OwnerRecord {
  readonly node: string;
  /** Milliseconds since the epoch, by the owner's clock. */
  readonly sinceMs: number;
  /** The previous node. */
  readonly from?: string;
  readonly because?: Because;
  /** What it cost on the previous node, thousandths of a processor. */
  readonly cost?: number;
  /** The node that may adopt it once it captures it, and why. */
  readonly to?: string;
  readonly toBecause?: Because;
  /** The newest picture when it was offered: the new node numbers on from it, and no period is skipped or counted twice. */
  readonly newest?: Numbered;
}

export type Offer = Pick<OwnerRecord, 'to' | 'toBecause' | 'newest'>;

/** The cameras of the configuration. */
export type Present = Pick<ReadonlySet<string>, 'has'>;

export interface Owned extends OwnerRecord {
  /** Revision at which it was last written. */
  readonly revision: number;
  readonly lease: string | undefined;
}

export class Keys {
  readonly prefix: string;

  constructor(fleet: string) {
    this.prefix = `/vigil/${fleet}/`;
  }

  node(name: string): string {
    return `${this.prefix}nodes/${name}`;
  }

  /** The cameras as all nodes have them. */
  get configuration(): string {
    return `${this.prefix}configuration`;
  }

  camera(id: string): string {
    return `${this.prefix}cameras/${id}`;
  }

  /** The key of a permit to begin a move for balance. */
  permit(name: string): string {
    return `${this.prefix}moves/${name}`;
  }
}

export class Facts {
  readonly nodes = new Map<string, NodeRecord>();
  readonly owners = new Owners();
  /** Names of the permits for moves that are taken. */
  readonly permits = new Set<string>();
  /** Records of the nodes, without their signs of life. */
  readonly #said = new Map<string, string>();
  /** The last owner of cameras that are now unowned. */
  readonly #left = new Map<string, string>();
  /** Nodes that drained until they went. */
  readonly #drained = new Set<string>();
  /** The last measured costs, also of nodes that have gone. */
  readonly #costs = new Map<string, number>();

  constructor(private readonly keys: Keys) {}

  replace(entries: readonly KeyValue[]): void {
    this.nodes.clear();
    this.#said.clear();
    this.owners.clear();
    this.permits.clear();
    for (const entry of entries) this.#put(entry);
  }

  /** @returns false if the events were only signs of life */
  apply(events: readonly EtcdEvent[]): boolean {
    let isNews = false;
    for (const event of events)
      if (event.kind === 'put') isNews = this.#put(event.entry) || isNews;
      else {
        isNews = true;
        this.#forget(this.#nameBelow('nodes/', event.key) ?? '');
        this.disown(this.#nameBelow('cameras/', event.key) ?? '');
        this.permits.delete(this.#nameBelow('moves/', event.key) ?? '');
      }
    return isNews;
  }

  /** Forgets cameras that are neither owned nor among `present`. */
  keep(present: Present): void {
    for (const past of [this.#left, this.#costs])
      for (const id of past.keys()) if (!present.has(id) && !this.owners.has(id)) past.delete(id);
  }

  disown(camera: string): void {
    const owner = this.owners.get(camera);
    if (owner !== undefined) this.#left.set(camera, owner.node);
    this.owners.delete(camera);
  }

  /** What the next owner of an unowned camera writes about its past. */
  pastOf(camera: string): Pick<OwnerRecord, 'from' | 'because' | 'cost'> {
    const from = this.#left.get(camera);
    if (from === undefined) return { because: 'new' };
    return { ...this.#reasonOf(from), ...this.costOf(camera) };
  }

  /** Without a cost if the camera was never measured. */
  costOf(camera: string): Pick<OwnerRecord, 'cost'> {
    const cost = this.#costs.get(camera) ?? this.owners.get(camera)?.cost;
    return cost === undefined ? {} : { cost };
  }

  #reasonOf(from: string): Pick<OwnerRecord, 'from' | 'because'> {
    const state = this.nodes.get(from)?.state;
    if (state === 'draining' || (state === undefined && this.#drained.has(from)))
      return { from, because: 'drain' };
    return { from, because: state === undefined ? 'node-lost' : 'balance' };
  }

  #forget(node: string): void {
    if (this.nodes.get(node)?.state === 'draining') this.#drained.add(node);
    else this.#drained.delete(node);
    this.nodes.delete(node);
    this.#said.delete(node);
  }

  /** @returns false if only the beat of a node has changed */
  #put({ key, value, modRevision, lease }: KeyValue): boolean {
    const [node, camera] = [this.#nameBelow('nodes/', key), this.#nameBelow('cameras/', key)];
    const permit = this.#nameBelow('moves/', key);
    if (permit !== undefined) this.permits.add(permit);
    if (node !== undefined) return this.#hear(node, value);
    const owner = camera === undefined ? undefined : parsedOwner(value);
    if (camera === undefined || owner === undefined) return camera === undefined;
    this.owners.set(camera, { ...owner, revision: modRevision, lease });
    return true;
  }

  /** @returns false if the record is only a sign of life */
  #hear(node: string, value: string): boolean {
    const now = parsedNode(value);
    if (now === undefined) return false;
    const [before, said] = [this.#said.get(node), withoutBeat(now)];
    this.nodes.set(node, now);
    this.#said.set(node, said);
    for (const [id, cost] of Object.entries(now.costs ?? {})) this.#costs.set(id, cost);
    return said !== before;
  }

  #nameBelow(folder: string, key: string): string | undefined {
    const start = `${this.keys.prefix}${folder}`;
    return key.startsWith(start) ? key.slice(start.length) : undefined;
  }
}

function withoutBeat(record: NodeRecord): string {
  return JSON.stringify({ ...record, beat: 0, clockMs: 0 });
}

/** The part of an owned camera's record that is written to etcd. */
export function recordOf({ revision: _, lease: __, ...record }: Owned): OwnerRecord {
  return record;
}

/** What a node writes about a camera that it offers to another, or no longer offers. */
export function offered(
  { to: _, toBecause: __, newest: ___, ...record }: OwnerRecord,
  offer?: Offer,
): OwnerRecord {
  return { ...record, ...offer };
}
