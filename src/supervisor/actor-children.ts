/** The actors as children: started in order and with measure, watched, replaced when an edit touches them. */
import type { Topology } from '../config/topology';
import type { CameraState, Gap } from '../contract/message';
import type { Log } from '../log/log';
import { Fault, type FaultRecord } from '../fault/fault';
import type { ActorReport } from '../protocol/messages';
import { NAMESPACE_IN_USE } from '../connections/namespace-fault';
import type { Accounting } from './accounting';
import { ActorHost, ActorStartFault, type HostedActor } from '../comedy/host';
import type { WantedActor } from './actor-specs';
import { BlackBox, type Crash } from './black-box';
import { Child, type ChildEnd, type ChildState, type Incarnation } from './child';
import { Deliveries } from './deliveries';
import { ReportRouter } from './report-router';
import { RestartBudget } from './restart-budget';
import { Rollout } from './rollout';
import { StartGate } from './start-gate';
import { childStatus, type ChildStatus } from './status';

export interface ActorChildrenOptions {
  readonly topology: Topology;
  readonly accounting: Accounting;
  readonly log: Log;
  readonly blackBoxDir: string;
  /** An actor whose server answers lives; told with each of its heartbeats. */
  readonly onServing: (name: string) => void;
  /** The web actor's address. */
  readonly onAddress: (url: string) => void;
  /** An actor that cannot be done without exceeded its intensity, or another daemon has the namespace. */
  readonly onEscalation: (fault: FaultRecord) => void;
}

type Wanted = ReadonlyMap<string, WantedActor>;

export class ActorChildren {
  readonly #children = new Map<string, Child>();
  readonly #router: ReportRouter;
  readonly #blackBox: BlackBox;
  readonly #budget: RestartBudget;
  readonly #gate: StartGate;
  readonly #rollout: Rollout;
  #wanted: Wanted = new Map();
  #expireMs: number;
  #lastConfirmAtMs: number | undefined;
  readonly #deliveries = new Deliveries();
  #host!: ActorHost;
  #stopping = false;
  /** Actors whose server answers. */
  readonly #ready = new Set<string>();

  private constructor(private readonly options: ActorChildrenOptions) {
    const { restartsPerMinute, parallelStarts } = options.topology.supervision;
    this.#expireMs = options.topology.expireMs;
    this.#router = new ReportRouter(options.accounting);
    this.#blackBox = new BlackBox(options.blackBoxDir);
    this.#budget = new RestartBudget(restartsPerMinute);
    this.#gate = new StartGate(parallelStarts);
    const steps = {
      wanted: (name: string) => this.#wanted.get(name),
      child: (name: string) => this.#children.get(name),
      start: (name: string) => this.#start(name),
      replace: (name: string) => this.#replace(name),
      remove: (name: string) => this.#remove(name),
    };
    this.#rollout = new Rollout(steps, parallelStarts);
  }

  static async open(options: ActorChildrenOptions): Promise<ActorChildren> {
    const children = new ActorChildren(options);
    children.#host = await ActorHost.open(options.log, options.topology.logLevel, (name, report) =>
      children.#onReport(name, report),
    );
    return children;
  }

  /** @param served the processes of store and notifier start at once, their work begins when this resolves */
  async startAll(wanted: Wanted, served: Promise<unknown>): Promise<void> {
    this.#wanted = wanted;
    // Nothing waits for it: the daemon does its work without.
    void served.then(() => this.#rollout.settle('web'));
    await Promise.all(
      [...wanted.values()]
        .filter(({ kind }) => kind !== 'web')
        .map(async (actor) => this.#startChild(actor, actor.kind === 'camera' ? Promise.resolve() : served)),
    );
  }

  /** Takes an edit over; settles when all runs by the newest. */
  async change(wanted: Wanted, { logLevel, supervision, expireMs }: Topology): Promise<void> {
    this.#host.logLevel = logLevel;
    this.#router.broadcast({ kind: 'log-level', level: logLevel });
    this.#budget.resize(supervision.restartsPerMinute);
    this.#gate.resize(supervision.parallelStarts);
    this.#rollout.resize(supervision.parallelStarts);
    this.#wanted = wanted;
    const names = [...new Set([...this.#children.keys(), ...wanted.keys()])];
    await Promise.all([
      ...names
        .filter((name) => name === 'web' || cameraOf(name) !== undefined)
        .map((name) => this.#rollout.settle(name)),
      this.#changeServers(expireMs),
    ]);
  }

  /** One after the other: the store drains while the notifier still answers. And no message outlives its frame. */
  async #changeServers(expireMs: number): Promise<void> {
    const order = expireMs < this.#expireMs ? ['notifier', 'store'] : ['store', 'notifier'];
    this.#expireMs = expireMs;
    for (const name of order) await this.#rollout.settle(name);
  }

  /** Cameras and web first, the notifier last: each layer's frames and events still reach the next. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#rollout.stop();
    const first = [...this.#children.values()].filter(
      ({ name }) => name === 'web' || cameraOf(name) !== undefined,
    );
    await Promise.all(first.map((child) => child.stop()));
    await this.#children.get('store')?.stop();
    await this.#children.get('notifier')?.stop();
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  tellGap(gap: Gap): void {
    this.#router.tellGap(gap);
  }

  /** Milliseconds since the epoch; undefined until a frame was confirmed. */
  get lastConfirmAtMs(): number | undefined {
    return this.#lastConfirmAtMs;
  }

  /** Actors that have not come to the newest edit yet. */
  get behind(): number {
    return this.#rollout.behind;
  }

  status(): ChildStatus[] {
    return [...this.#wanted.values()].flatMap(({ kind, actor: { name } }) => {
      const child = this.#children.get(name);
      if (child === undefined) return [];
      const camera = cameraOf(name);
      const feed = camera === undefined ? undefined : this.#router.cameraState(camera);
      const delivered = camera === undefined ? undefined : this.#deliveries.of(camera);
      return [childStatus(child, kind, this.#blackBox.lastHeartbeat(name), feed, delivered)];
    });
  }

  /** Resolves when the child runs, or has failed once and is tried again by itself. */
  async #startChild({ kind, actor, child: spec }: WantedActor, until: Promise<unknown>): Promise<void> {
    if (this.#stopping) return;
    const { name } = actor;
    const child = new Child({
      name,
      log: this.options.log,
      spec: () => this.#wanted.get(name)?.child ?? spec,
      ...(kind === 'camera' ? { budget: this.#budget } : {}),
      start: (signal) => this.#startIncarnation(name, until, signal),
      onState: (state, fault) => {
        if (kind === 'camera') this.#onCameraChild(name, state, fault);
      },
      onEscalation: this.options.onEscalation,
    });
    this.#children.set(name, child);
    await child.startOrRetry();
  }

  async #startIncarnation(name: string, until: Promise<unknown>, signal: AbortSignal): Promise<Incarnation> {
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) throw new Fault('not-wanted', 'is no longer wanted');
    const actor = await this.#startProcess(wanted, signal);
    const startedAtMs = Date.now();
    await Promise.race([until, actor.exited]);
    if (!signal.aborted) this.#begin(actor);
    this.#router.join(actor);
    if (!signal.aborted) this.#rollout.runs(actor);
    let asked = signal.aborted;
    const ended = actor.exited.then((exit): ChildEnd => {
      this.#ready.delete(name);
      this.#router.leave(actor);
      const { code, signal: exitSignal, fault } = exit;
      const { pid, lastLines } = actor;
      if (!asked)
        void this.#record({ name, pid, startedAtMs, lastLines, fault, exitCode: code, signal: exitSignal });
      return { normal: code === 0, fault };
    });
    return {
      pid: actor.pid,
      ended,
      stop: async () => {
        asked = true;
        await actor.stop(this.#wanted.get(name)?.child.shutdownMs ?? wanted.child.shutdownMs);
        this.#router.leave(actor);
      },
    };
  }

  async #startProcess(asked: WantedActor, signal: AbortSignal): Promise<HostedActor> {
    const { kind, actor } = asked;
    const start = async () => {
      if (signal.aborted) throw new Fault('stopped', 'was stopped before it started');
      // What was edited while it waited for its turn.
      const wanted = this.#wanted.get(actor.name) ?? asked;
      this.#rollout.starts(actor.name, wanted);
      return this.#host.start(wanted.actor, wanted.child.startMs);
    };
    const startedAtMs = Date.now();
    try {
      return await (kind === 'camera' ? this.#gate.pass(start) : start());
    } catch (error) {
      if (error instanceof ActorStartFault) {
        const { code, message, pid, lastLines } = error;
        const end = { fault: { code, message }, exitCode: null, signal: null };
        void this.#record({ name: actor.name, pid, startedAtMs, lastLines, ...end });
      }
      throw error;
    }
  }

  #begin(actor: HostedActor): void {
    actor.begin();
    this.options.log.info(`${actor.name} runs`, { child: actor.pid });
  }

  /** A disk that takes no record must not keep a child from coming back. */
  async #record(crash: Omit<Crash, 'endedAtMs'>): Promise<void> {
    const { name } = crash;
    try {
      const file = await this.#blackBox.record({ ...crash, endedAtMs: Date.now() });
      this.options.log.info(`what is known of the end of ${name} is kept`, { file });
    } catch (error) {
      this.options.log.warn(`the end of ${name} could not be recorded: ${(error as Error).message}`);
    }
  }

  async #replace(name: string): Promise<void> {
    await this.#children.get(name)?.stop();
    await this.#start(name);
  }

  async #start(name: string): Promise<void> {
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined) await this.#startChild(wanted, Promise.resolve());
  }

  async #remove(name: string): Promise<void> {
    await this.#children.get(name)?.stop();
    this.#children.delete(name);
    this.#blackBox.forget(name);
    const camera = cameraOf(name);
    if (camera === undefined) return;
    this.#router.tellState({ camera, state: 'stopped', sinceMs: Date.now() });
    this.#router.forgetCamera(camera);
    this.#deliveries.forget(camera);
  }

  /** What became of a camera's actor, which can no longer tell it itself. */
  #onCameraChild(name: string, state: ChildState, fault: FaultRecord | undefined): void {
    const camera = cameraOf(name);
    const told = cameraStateOf(state);
    if (camera === undefined || told === undefined) return;
    const cause =
      fault === undefined ? {} : { fault: { code: fault.code, message: `its process ${fault.message}` } };
    this.#router.tellState({ camera, state: told, sinceMs: Date.now(), ...cause });
  }

  #onReport(name: string, report: ActorReport): void {
    this.#router.route(name, report);
    switch (report.kind) {
      case 'frame':
        this.#children.get(name)?.worked();
        this.#deliveries.captured(report.frame);
        break;
      case 'readiness':
        this.#onReadiness(name, report.fault === undefined);
        if (report.fault?.code === NAMESPACE_IN_USE) this.options.onEscalation(report.fault);
        break;
      case 'serving':
        this.options.onAddress(report.url);
        break;
      case 'delivered':
        this.#lastConfirmAtMs = Date.now();
        this.#deliveries.delivered(report.frames);
        break;
      case 'changed':
        this.#rollout.changed(name);
        break;
      case 'heartbeat':
        this.#blackBox.heartbeat(name, report.heartbeat);
        if (this.#ready.has(name)) this.#onServing(name);
        break;
      case 'feed-said':
        this.#blackBox.feedSaid(name, report.lines);
        break;
      case 'announce':
      case 'announced':
      case 'camera-state':
      case 'periods':
      case 'gap':
      case 'gap-told':
      case 'dropped':
      case 'evicted':
        break;
    }
  }

  #onReadiness(name: string, isReady: boolean): void {
    if (isReady) this.#ready.add(name);
    else this.#ready.delete(name);
    if (isReady) this.#onServing(name);
  }

  #onServing(name: string): void {
    this.#children.get(name)?.worked();
    this.options.onServing(name);
  }
}

function cameraOf(name: string): string | undefined {
  return /^camera:(.+)$/.exec(name)?.[1];
}

function cameraStateOf(state: ChildState): CameraState['state'] | undefined {
  switch (state.name) {
    case 'waiting':
      return 'restarting';
    case 'quarantined':
      // While it is being tried it speaks for itself.
      return 'pid' in state ? undefined : 'quarantined';
    case 'ended':
      return 'stopped';
    case 'down':
    case 'starting':
    case 'running':
    case 'stopped':
      return undefined;
  }
}
