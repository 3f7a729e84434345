/** The supervisor: starts servers and actors top to bottom, keeps them running by their specs, stops them bottom to top. */
import type { QueuesAnswer } from '../connections/bound-queues';
import { aborted } from '../clock/sleep';
import type { ConfigFault } from '../config/faults';
import type { Topology } from '../config/topology';
import { setLogLevel } from '../log/log';
import { closeInTurn } from '../os/close-in-turn';
import type { Holder } from '../connections/namespace-lease';
import { Accounting } from './accounting';
import { ActorChildren } from './actor-children';
import { cameraName, wantedActors, type WantedActor } from './actor-specs';
import { camerasOf, tagged } from './configured-cameras';
import { BLACK_BOX } from './crash-files';
import { provideDescriptors } from './descriptors';
import { EmbeddedServers } from './embedded-servers';
import { EndpointsFile } from './endpoints';
import { NO_FIGURES, type Figures } from './figures';
import { keepNewestOf, newestDirOf } from '../spool/newest';
import { planChange, refusals, type Plan } from './plan';
import { askQueues } from './queues';
import { claimsOf, heldPart, withoutArriving } from './held-cameras';
import { holderOf, identityOf } from './identity';
import type { SupervisorOptions } from './supervisor-options';
import { surroundingsOf } from './surroundings';
import type { ChildStatus, ConfiguredCamera } from './status';
import type { Arriving } from '../protocol/numbered';

export class Supervisor {
  readonly #stopping = new AbortController();
  #started: Promise<void> = Promise.resolve();
  /** What runs here: in a fleet, a part of the configuration. */
  #topology: Topology;
  #configured: Topology;
  #held: ReadonlySet<string> | undefined;
  #arriving: Arriving = new Map();
  #actors: ActorChildren | undefined;
  #accounting: Accounting | undefined;
  #wanted: ReadonlyMap<string, WantedActor> = new Map();
  /** Actors whose server does not answer yet. */
  readonly #unready = new Set(['store', 'notifier']);
  /** This daemon, and the identity under which it holds the namespace. */
  readonly #node: Holder;
  readonly #holder: Holder;
  readonly #servers: EmbeddedServers;
  readonly #endpoints: EndpointsFile;

  constructor(private readonly options: SupervisorOptions) {
    this.#configured = options.topology;
    if (options.topology.fleet !== undefined) this.#held = new Set();
    this.#topology = heldPart(options.topology, this.#held);
    this.#node = identityOf(options.data);
    this.#holder = holderOf(options.topology, this.#node);
    const { data, log, onEscalation } = options;
    const spec = () => this.#topology.children.service;
    this.#servers = new EmbeddedServers({ data, log, spec, onEscalation });
    this.#endpoints = new EndpointsFile(data, this.#servers, log);
  }

  /**
   * Starts everything. Waits for nothing that can come later, such as a remote server that is away or a camera that is off.
   * @throws Fault `namespace-in-use`, or `port-in-use`, `missing-program` or `service-start` when an embedded server cannot run here.
   */
  start(): Promise<void> {
    return (this.#started = this.#startAll());
  }

  /**
   * Stops everything, bottom to top; safe while still starting. Each layer has a deadline, so this ends.
   * @throws Error naming every part that failed to stop; the others are stopped nevertheless
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await closeInTurn([
      // A start waits for every camera, and most cameras wait for their turn: stopping the actors ends the wait.
      { what: 'the actors', close: () => this.#actors?.stop() },
      { what: 'the start', close: () => this.#started.catch(() => undefined) },
      { what: 'the ledger', close: () => this.#accounting?.close() },
      { what: 'the copy of the ledger', close: () => this.#copyLedger() },
      { what: 'the servers', close: () => this.#servers.stop() },
      { what: 'the actor system', close: () => this.#actors?.close() },
    ]);
  }

  get isReady(): boolean {
    return this.#unready.size === 0;
  }

  /** What `wanted` would change, in a fleet on all its nodes, and which changes need a restart of the daemon. */
  plan(configured: Topology): { readonly plan: Plan; readonly refused: readonly ConfigFault[] } {
    const partOf = (topology: Topology) => ({ topology, actors: this.#actorsOf(topology) });
    const plan = planChange(partOf(this.#configured), partOf(configured));
    return { plan, refused: refusals(this.#configured, configured) };
  }

  /**
   * Makes sure, before {@link apply}, that no other daemon uses what `wanted` writes to.
   * @throws Fault `namespace-in-use`
   */
  async claim(wanted: Topology, { restart }: Plan): Promise<void> {
    if (restart.some(({ because }) => because.includes('namespace') || because.includes('redisUrl')))
      await this.#claimNamespace(wanted, false);
  }

  /**
   * Changes only what differs between the running tree and `wanted`, none of which is refused. The result settles when all
   * actors have applied the newest `wanted`; another may be applied before. @throws if nothing could be changed
   */
  apply(wanted: Topology): Promise<void> {
    // A full disk makes this fail before anything has been changed.
    this.#endpoints.write(wanted);
    this.#configured = wanted;
    setLogLevel(wanted.logLevel);
    return this.#run(heldPart(wanted, this.#held));
  }

  /**
   * Runs these cameras of the configuration, and no others, from now on; resolves when the others have stopped.
   * @param arriving cameras other nodes still hold and account for
   */
  async holds(ids: ReadonlySet<string>, arriving: Arriving): Promise<void> {
    const before = [...this.#wanted.keys()];
    this.#held = new Set([...ids, ...arriving.keys()]);
    this.#arriving = arriving;
    void this.#run(heldPart(this.#configured, this.#held));
    const gone = before.filter((name) => !this.#wanted.has(name));
    await Promise.all(gone.map(async (name) => this.#actors?.settled(name)));
  }

  /** The whole configuration, of which a node of a fleet runs a part. */
  get configured(): Topology {
    return this.#configured;
  }

  async #copyLedger(): Promise<void> {
    const [topology, dir] = [this.#configured, this.options.data.path('ledger')];
    if (topology.fleet === undefined) return;
    const redisUrl = this.#servers.urlOf(topology.redis, 'redis', 'ownUrl');
    await (await import('./last-copy')).copyEndOfLedger(topology, redisUrl, dir);
  }

  #run(wanted: Topology): Promise<void> {
    this.#topology = wanted;
    this.#wanted = this.#actorsOf(wanted);
    provideDescriptors(wanted, this.options.log);
    this.#accounting?.change(withoutArriving(wanted, this.#arriving));
    const changed = this.#actors?.change(this.#wanted, wanted) ?? Promise.resolve();
    return changed.then(() => this.#tidyNewest());
  }

  /** Gives a camera a new process; resolves when it runs. False if the camera does not exist or is disabled. */
  async restart(camera: string): Promise<boolean> {
    const name = cameraName(camera);
    if (!this.#wanted.has(name)) return false;
    await this.#actors?.restart(name);
    return true;
  }

  /** Number of actors that have not applied the newest edit yet. */
  get behind(): number {
    return this.#actors?.behind ?? 0;
  }

  /** When the broker last confirmed a frame, milliseconds since the epoch. */
  get lastConfirmAtMs(): number | undefined {
    return this.#actors?.lastConfirmAtMs;
  }

  /** Every child, in start order. */
  status(): ChildStatus[] {
    return [...this.#servers.status(), ...tagged(this.#actors?.status() ?? [], this.#topology)];
  }

  /** All cameras of the running configuration. */
  get cameras(): ConfiguredCamera[] {
    return camerasOf(this.#topology);
  }

  /** Totals since the start. */
  get figures(): Figures {
    return this.#actors?.figures ?? NO_FIGURES;
  }

  /** Other receivers of Vigil's messages, and leftovers of earlier configurations: queried from the broker now. */
  async queues(): Promise<QueuesAnswer> {
    return askQueues(this.#topology, this.#servers.services, this.options.data.path('queues.json'));
  }

  async #startAll(): Promise<void> {
    const { log, data, force = false } = this.options;
    provideDescriptors(this.#topology, log);
    // Concurrent with preparing the servers: a restart must be short.
    const claimed = this.#claimNamespace(this.#topology, force);
    claimed.catch(() => undefined);
    await this.#servers.prepare(this.#topology);
    this.#endpoints.writeIfPossible(this.#topology);
    this.#wanted = this.#actorsOf(this.#topology);
    void this.#tidyNewest();
    this.#accounting = await Accounting.open({
      topology: this.#topology,
      dir: data.path('ledger'),
      spoolDir: data.path('spool'),
      log,
      announce: (gap) => this.#actors?.sendGap(gap),
    });
    this.#actors = await ActorChildren.open({
      topology: this.#topology,
      accounting: this.#accounting,
      log,
      blackBoxDir: data.folder(BLACK_BOX),
      onServing: (name) => this.#onServing(name),
      onAddress: (url) => this.#endpoints.serving(url, this.#topology),
      onEscalation: this.options.onEscalation,
      ...(this.options.onCaptured && { onCaptured: this.options.onCaptured }),
    });
    await claimed;
    if (this.#stopping.signal.aborted) return;
    // A broker takes seconds to start. Cameras need not wait for it, as the spool keeps their frames. Store and notifier
    // do wait, with their processes ready.
    const serving = this.#servers.start(this.#stopping.signal);
    const served = serving.catch(() => aborted(this.#stopping.signal));
    await Promise.all([serving, this.#actors.startAll(this.#wanted, served)]);
  }

  /** An embedded Redis belongs to this data directory: no other daemon starts it. */
  async #claimNamespace({ redis, namespace }: Topology, force: boolean): Promise<void> {
    if (redis.kind === 'embedded') return;
    const { claimNamespace } = await import('./claim-namespace');
    await claimNamespace({ url: redis.url, namespace, holder: this.#holder, force });
  }

  #actorsOf(topology: Topology): ReadonlyMap<string, WantedActor> {
    const { data } = this.options;
    const claims = claimsOf(topology, this.#node.id, data);
    const own = { holder: this.#holder, claims, arriving: this.#arriving, servers: this.#servers, data };
    return wantedActors(topology, surroundingsOf(topology, own));
  }

  /** Removes the newest pictures of cameras that were removed or disabled. */
  async #tidyNewest(): Promise<void> {
    const dir = newestDirOf(this.options.data.folder('spool'));
    await keepNewestOf(dir, new Set(this.#topology.cameras.map(({ id }) => id)));
  }

  /** Store or notifier is working, and so is the server behind it. */
  #onServing(name: string): void {
    if (name !== 'store' && name !== 'notifier') return;
    this.#servers.worked(name === 'store' ? 'redis' : 'rabbitmq');
    if (this.#unready.delete(name) && this.#unready.size === 0) this.options.onReady();
  }
}
