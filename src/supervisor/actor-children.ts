/** The actors as children: started in order and a few at a time, watched, changed by edits, stopped in order. */
import type { Frame } from '../contract/frame';
import { ActorHost, type ReportHandler } from '../comedy/host';
import type { Topology } from '../config/topology';
import type { Gap } from '../contract/message';
import type { FaultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import type { Accounting } from './accounting';
import { ActorRuns } from './actor-runs';
import { cameraIdOf, type WantedActor } from './actor-specs';
import { BlackBox } from './black-box';
import { cameraStateOf } from './camera-states';
import { Child, type ChildState } from './child';
import { Deliveries } from './deliveries';
import { FigureKeeper, type Figures } from './figures';
import { ReportRouter } from './report-router';
import { RestartBudget } from './restart-budget';
import { Rollout } from './rollout';
import { Serving } from './serving';
import { StartGate } from './start-gate';
import { childStatus, type ChildStatus } from './status';

export interface ActorChildrenOptions {
  readonly topology: Topology;
  readonly accounting: Pick<Accounting, 'began' | 'cameraState' | 'onReport'>;
  readonly log: Log;
  readonly blackBoxDir: string;
  /** The actor's server answers; called again at each heartbeat of the actor. */
  readonly onServing: (name: string) => void;
  /** The web actor's address. */
  readonly onAddress: (url: string) => void;
  /** A required actor exceeded its intensity, or another daemon has the namespace. */
  readonly onEscalation: (fault: FaultRecord) => void;
  /** A camera's picture is in the spool. */
  readonly onCaptured?: (frame: Frame) => void;
}

export type Host = Pick<ActorHost, 'logLevel' | 'start' | 'close'>;
export type OpenHost = (...call: Parameters<typeof ActorHost.open>) => Promise<Host>;

type Wanted = ReadonlyMap<string, WantedActor>;

/** Actors that observe the daemon from outside: nothing waits for them, at the start or later. */
const BESIDE: readonly string[] = ['web', 'notices'];

export class ActorChildren {
  readonly #children = new Map<string, Child>();
  readonly #blackBox: BlackBox;
  readonly #deliveries = new Deliveries();
  readonly #figures = new FigureKeeper();
  readonly #router: ReportRouter;
  readonly #budget: RestartBudget;
  readonly #gate: StartGate;
  readonly #rollout: Rollout;
  readonly #runs: ActorRuns;
  #wanted: Wanted = new Map();
  #expireMs: number;
  #stopping = false;

  private constructor(
    private readonly options: ActorChildrenOptions,
    private readonly host: Host,
  ) {
    const { topology, accounting, log, blackBoxDir, onServing, onAddress, onEscalation } = options;
    const { restartsPerMinute, parallelStarts } = topology.supervision;
    this.#expireMs = topology.expireMs;
    this.#budget = new RestartBudget(restartsPerMinute);
    this.#gate = new StartGate(parallelStarts);
    this.#blackBox = new BlackBox(blackBoxDir);
    const onWorked = (name: string) => this.#children.get(name)?.worked();
    const serving = new Serving({
      onServing: (name) => {
        onWorked(name);
        onServing(name);
      },
      onEscalation,
    });
    const [wanted, blackBox] = [(name: string) => this.#wanted.get(name), this.#blackBox];
    this.#rollout = new Rollout(
      {
        wanted,
        child: (name) => this.#children.get(name),
        start: (name) => this.#start(name),
        replace: (name) => this.#replace(name),
        remove: (name) => this.#remove(name),
      },
      parallelStarts,
    );
    const onChanged = (name: string) => this.#rollout.changed(name);
    const [deliveries, figures] = [this.#deliveries, this.#figures];
    const recipients = { accounting, blackBox, deliveries, figures, serving };
    const onCaptured = (name: string, frame: Frame) => {
      onWorked(name);
      options.onCaptured?.(frame);
    };
    this.#router = new ReportRouter({ ...recipients, onWorked: onCaptured, onAddress, onChanged });
    const [gate, router, rollout] = [this.#gate, this.#router, this.#rollout];
    this.#runs = new ActorRuns({ host, gate, router, rollout, serving, blackBox, figures, log, wanted });
  }

  static async open(
    options: ActorChildrenOptions,
    openHost: OpenHost = async (...call) => ActorHost.open(...call),
  ): Promise<ActorChildren> {
    const { log, topology } = options;
    let route: ReportHandler = () => undefined;
    const host = await openHost(log, topology.logLevel, (name, report) => route(name, report));
    const children = new ActorChildren(options, host);
    route = (name, report) => children.#router.route(name, report);
    return children;
  }

  /** @param served the processes of store and notifier start at once; their work begins when this resolves */
  async startAll(wanted: Wanted, served: Promise<unknown>): Promise<void> {
    this.#wanted = wanted;
    // Nothing waits for them: the daemon works without them.
    for (const name of BESIDE) void served.then(() => this.#rollout.settle(name));
    await Promise.all(
      [...wanted.values()]
        .filter(({ kind }) => !BESIDE.includes(kind))
        .map(async (actor) => this.#startChild(actor, actor.kind === 'camera' ? Promise.resolve() : served)),
    );
  }

  /** Applies an edit; settles when all actors run with the newest configuration. */
  async change(wanted: Wanted, { logLevel, supervision, expireMs }: Topology): Promise<void> {
    this.host.logLevel = logLevel;
    this.#router.broadcast({ kind: 'log-level', level: logLevel });
    this.#budget.resize(supervision.restartsPerMinute);
    this.#gate.resize(supervision.parallelStarts);
    this.#rollout.resize(supervision.parallelStarts);
    this.#wanted = wanted;
    const names = [...new Set([...this.#children.keys(), ...wanted.keys()])];
    await Promise.all([
      ...names.filter(isOptional).map((name) => this.#rollout.settle(name)),
      this.#changeServers(expireMs),
    ]);
  }

  /** Replaces the process of an actor and forgets its restarts and its quarantine. */
  async restart(name: string): Promise<void> {
    await this.#rollout.restart(name);
  }

  /** Settles when the actor runs as it is wanted now, or has stopped if it is not wanted. */
  async settled(name: string): Promise<void> {
    await this.#rollout.settle(name);
  }

  /** One after the other: the store drains while the notifier still answers, and no message outlives its frame. */
  async #changeServers(expireMs: number): Promise<void> {
    const order = expireMs < this.#expireMs ? ['notifier', 'store'] : ['store', 'notifier'];
    this.#expireMs = expireMs;
    for (const name of order) await this.#rollout.settle(name);
  }

  /** Cameras and web first, the notifier last: the frames and events of each layer still reach the next. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#rollout.stop();
    const first = [...this.#children.values()].filter(({ name }) => isOptional(name));
    await Promise.all(first.map((child) => child.stop()));
    for (const name of ['store', 'notifier']) await this.#children.get(name)?.stop();
    await this.#blackBox.idle();
  }

  async close(): Promise<void> {
    await this.host.close();
  }

  /** Has a gap announced, if a notifier runs. */
  sendGap(gap: Gap): void {
    this.#router.sendGap(gap);
  }

  /** Milliseconds since the epoch; undefined until a frame was confirmed. */
  get lastConfirmAtMs(): number | undefined {
    return this.#deliveries.lastConfirmAtMs;
  }

  get figures(): Figures {
    return this.#figures.figures;
  }

  /** Number of actors that have not applied the newest edit yet. */
  get behind(): number {
    return this.#rollout.behind;
  }

  status(): ChildStatus[] {
    return [...this.#wanted.values()].flatMap(({ kind, actor: { name } }) => {
      const child = this.#children.get(name);
      if (child === undefined) return [];
      const camera = cameraIdOf(name);
      const delivered = camera === undefined ? undefined : this.#deliveries.of(camera);
      const known = camera === undefined ? undefined : this.#router.feedOf(camera);
      const heartbeat = this.#blackBox.lastHeartbeat(name);
      return [childStatus(child, kind, { heartbeat, ...known, delivered })];
    });
  }

  /** Resolves when the child runs, or has failed once and is being retried. */
  async #startChild({ kind, actor: { name }, child: spec }: WantedActor, until: Promise<unknown>) {
    if (this.#stopping) return;
    const child = new Child({
      name,
      log: this.options.log,
      spec: () => this.#wanted.get(name)?.child ?? spec,
      budget: kind === 'camera' ? this.#budget : undefined,
      start: (signal) => this.#runs.start(name, until, signal),
      onState: (state, fault) => this.#onState(name, state, fault),
      onEscalation: this.options.onEscalation,
    });
    this.#children.set(name, child);
    await child.startOrRetry();
  }

  async #start(name: string): Promise<void> {
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined) await this.#startChild(wanted, Promise.resolve());
  }

  async #replace(name: string): Promise<void> {
    await this.#children.get(name)?.stop();
    await this.#start(name);
  }

  async #remove(name: string): Promise<void> {
    await this.#children.get(name)?.stop();
    this.#children.delete(name);
    this.#blackBox.forget(name);
    const camera = cameraIdOf(name);
    if (camera === undefined) return;
    this.#router.sendState({ camera, state: 'stopped', sinceMs: Date.now() });
    this.#router.forgetCamera(camera);
    this.#deliveries.forget(camera);
    this.#figures.forget(camera);
  }

  #onState(name: string, state: ChildState, fault: FaultRecord | undefined): void {
    const camera = cameraIdOf(name);
    const entered = camera === undefined ? undefined : cameraStateOf(camera, state, fault, Date.now());
    if (entered !== undefined) this.#router.sendState(entered);
  }
}

/** Such an actor stops before store and notifier and changes in parallel with them: no frame needs it. */
function isOptional(name: string): boolean {
  return BESIDE.includes(name) || cameraIdOf(name) !== undefined;
}
