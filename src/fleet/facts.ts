/** What a fleet's members know of each other, read from etcd's keys. Pure. */
import type { Entry, EtcdEvent } from '../etcd/etcd';

/** What a node says of itself, under its lease. */
export interface NodeRecord {
  /** The data directory: the same after a restart, and no other node's. */
  readonly id: string;
  /** For people: `daemon with pid 12 on host cam-server (data directory /srv/vigil)`. */
  readonly address: string;
  readonly state: 'member' | 'draining';
  readonly capacity: number;
  readonly version: string;
  /** Of its cameras: nodes with another one have another configuration. */
  readonly configuration: string;
  /** Rises whenever it is written: the node sees by it that its watch is alive. */
  readonly beat: number;
}

export interface OwnerRecord {
  readonly node: string;
  /** Milliseconds since the epoch, by the owner's clock. */
  readonly sinceMs: number;
}

export interface Owned extends OwnerRecord {
  /** Revision of its creation: rises with every change of the owner. */
  readonly token: number;
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

  camera(id: string): string {
    return `${this.prefix}cameras/${id}`;
  }
}

export class Facts {
  readonly nodes = new Map<string, NodeRecord>();
  readonly owners = new Map<string, Owned>();

  constructor(private readonly keys: Keys) {}

  replace(entries: readonly Entry[]): void {
    this.nodes.clear();
    this.owners.clear();
    for (const entry of entries) this.#put(entry);
  }

  apply(events: readonly EtcdEvent[]): void {
    for (const event of events)
      if (event.kind === 'put') this.#put(event.entry);
      else {
        this.nodes.delete(this.#nameBelow('nodes/', event.key) ?? '');
        this.owners.delete(this.#nameBelow('cameras/', event.key) ?? '');
      }
  }

  #put({ key, value, createRevision, lease }: Entry): void {
    const [node, camera] = [this.#nameBelow('nodes/', key), this.#nameBelow('cameras/', key)];
    try {
      if (node !== undefined) this.nodes.set(node, JSON.parse(value) as NodeRecord);
      if (camera !== undefined)
        this.owners.set(camera, { ...(JSON.parse(value) as OwnerRecord), token: createRevision, lease });
    } catch {
      // Written by somebody else: nobody owns it as far as we can tell.
    }
  }

  #nameBelow(folder: string, key: string): string | undefined {
    const start = `${this.keys.prefix}${folder}`;
    return key.startsWith(start) ? key.slice(start.length) : undefined;
  }
}
