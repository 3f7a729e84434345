/** The cameras of a fleet in etcd: read, and replaced one revision at a time, each based on the previous one. */
import type { KeyValue, Etcd, EtcdEvent } from '../etcd/etcd';
import { Fault } from '../fault/fault';
import { opened, parsedPublication, published, type Publication, type Shared } from './publication';

/** etcd accepts requests of up to 1.5 MB. */
const MAX_BYTES = 1_400_000;

export interface SharedConfigurationOptions {
  readonly etcd: Pick<Etcd, 'get' | 'transact'>;
  /** Its key in etcd. */
  readonly key: string;
  readonly fleet: string;
  readonly node: string;
  /** The key that credentials are sealed with. */
  readonly secret: Buffer | undefined;
}

interface Seen {
  readonly publication: Publication | undefined;
  /** Revision of etcd at which it was written; 0 if there is none. */
  readonly modRevision: number;
  /** The key has a value that no node of Vigil has written. */
  readonly isForeign?: boolean;
}

export class SharedConfiguration {
  #seen: Seen | undefined;
  /** A request of this node was not answered. */
  #isOwing = false;
  /** Called when another revision is seen, and when etcd answers again. */
  onChange: () => void = () => undefined;

  constructor(private readonly options: SharedConfigurationOptions) {}

  get fleet(): string {
    return this.options.fleet;
  }

  /** The name of this node. */
  get node(): string {
    return this.options.node;
  }

  /** Whether the keys have been read from etcd. */
  get isRead(): boolean {
    return this.#seen !== undefined;
  }

  /** @throws Fault if something else is stored under its key */
  get newest(): Publication | undefined {
    const { publication, isForeign = false } = this.#seen ?? {};
    if (isForeign)
      throw new Fault(
        'fleet-configuration',
        `the key ${this.options.key} in etcd is not the configuration of a fleet; remove that key`,
      );
    return publication;
  }

  /** All keys of the fleet. */
  replace(entries: readonly KeyValue[]): void {
    this.#see(entries.find(({ key }) => key === this.options.key));
    this.onChange();
  }

  apply(events: readonly EtcdEvent[]): void {
    const { key: own } = this.options;
    const last = events.findLast((event) => (event.kind === 'put' ? event.entry.key : event.key) === own);
    if (last === undefined) return;
    // What this node has read directly may be newer.
    if (last.kind === 'put' && last.entry.modRevision < (this.#seen?.modRevision ?? 0)) return;
    this.#see(last.kind === 'put' ? last.entry : undefined);
    this.onChange();
  }

  /** etcd answers: what could not be published is tried again. */
  answers(): void {
    if (!this.#isOwing) return;
    this.#isOwing = false;
    this.onChange();
  }

  /**
   * Publishes the revision after `before`, which is the newest.
   * @returns undefined if another node was faster; its revision is now the newest
   * @throws Fault of etcd; `fleet-key`, `fleet-too-large`
   */
  async publish(shared: Shared, before: Publication | undefined): Promise<Publication | undefined> {
    const { fleet, node, secret } = this.options;
    const head = { revision: (before?.revision ?? 0) + 1, after: before?.id, node, atMs: Date.now() };
    const next = published(fleet, shared, head, secret);
    return (await this.#write(next)) ? next : undefined;
  }

  /**
   * Writes again a revision that etcd has lost.
   * @returns false if another node came first
   * @throws Fault of etcd
   */
  async restore(publication: Publication): Promise<boolean> {
    return this.#write(publication);
  }

  /** @throws Fault `fleet-key` */
  open(publication: Publication): Shared {
    return opened(this.options.fleet, publication, this.options.secret);
  }

  async #write(publication: Publication): Promise<boolean> {
    const { etcd, key } = this.options;
    const value = JSON.stringify(publication);
    const bytes = Buffer.byteLength(value);
    if (bytes > MAX_BYTES)
      throw new Fault(
        'fleet-too-large',
        `the cameras take ${bytes} bytes, and a fleet shares at most ${MAX_BYTES}; move settings that all have to cameraDefaults`,
      );
    const modRevision = this.#seen?.modRevision ?? 0;
    const condition = modRevision === 0 ? { key, is: 'absent' as const } : { key, modRevision };
    try {
      await etcd.transact([condition], [{ put: key, value }]);
      // Compared by id: if the answer to the first try was lost, the second try fails although the first succeeded.
      this.#see(await etcd.get(key));
    } catch (error) {
      this.#isOwing = true;
      throw error;
    }
    return this.#seen?.publication?.id === publication.id;
  }

  #see(entry: KeyValue | undefined): void {
    const publication = entry && parsedPublication(entry.value);
    this.#seen = {
      publication,
      modRevision: entry?.modRevision ?? 0,
      isForeign: entry !== undefined && publication === undefined,
    };
  }
}
