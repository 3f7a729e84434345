/**
 * Runs actors on comedy. No other module of the daemon's process imports it: comedy forks processes and carries messages,
 * everything it does unsafely (docs/actors.md says what) is switched off or undone here.
 */
import path from 'node:path';
import './lean';
import { createSystem } from 'comedy';
import type { ShellCommand, ShellParameters, ShellReport } from './actor-side';
import { withDeadline } from '../clock/sleep';
import type { ActorMode } from '../config/topology';
import type { Log, LogLevel } from '../log/log';
import { descriptorsLeft } from '../os/descriptor-limit';
import { Batch } from './batch';
import { Fault, type FaultRecord } from '../fault/fault';
import type { ActorReport } from '../protocol/messages';
import { HEARTBEAT_MS } from '../protocol/progress';
import type { ProcessExit } from '../os/child-process';
import { ForkedProcesses, type ActorProcess } from './fork';
import { HeartbeatMonitor, type Watch } from './heartbeat-monitor';

export interface ActorSpec {
  /** Unique among running actors; shown by `ps`. */
  readonly name: string;
  readonly mode: ActorMode;
  /** Absolute path of the actor module. */
  readonly module: string;
  readonly parameters: unknown;
}

export interface ActorExit extends ProcessExit {
  /** How its process ended, or what it was killed for: a sentence without its subject. */
  readonly fault: FaultRecord;
}

export interface HostedActor {
  readonly name: string;
  /** Process id; the daemon's own for an actor in memory. */
  readonly pid: number;
  /** Settles when the actor's process has ended, for whatever reason. Never rejects. */
  readonly exited: Promise<ActorExit>;
  /** What its process said last; empty for an actor in memory, whose words are the daemon's. */
  readonly lastLines: readonly string[];
  /** Lets the actor do its work; until then it only holds its process ready. From now on its heartbeats are awaited. */
  begin(): void;
  /** Never throws: a message to an actor that has died is lost with it. */
  send(command: ShellCommand): void;
  /** Asks the actor to stop, waits until the deadline, then kills; resolves when its process has gone. */
  stop(deadlineMs: number): Promise<void>;
}

/** An actor whose process did not come as far as to take messages. */
export class ActorStartFault extends Fault {
  constructor(
    { message }: Error,
    readonly pid: number,
    readonly lastLines: readonly string[],
  ) {
    super('actor-start', `did not start: ${message}`);
  }
}

/** What of comedy's objects is used here; its typings are incomplete. */
interface ComedyActor {
  send(topic: string, message: unknown): Promise<unknown>;
  destroy(): Promise<void>;
}
interface ComedyForkedActor {
  /** Looks once a second for answers that are overdue; none is awaited. */
  timeoutWorkerInterval: NodeJS.Timeout;
  exitHandler: () => void;
  getName(): string;
  _setState(state: string): void;
}
interface ComedyRoot {
  childPromises: Promise<ComedyActor>[];
  createChild(definition: string, options: Record<string, unknown>): Promise<ComedyActor>;
}
interface ComedySystem {
  rootActor(): Promise<ComedyRoot>;
  destroy(): Promise<void>;
  getBus(): { recipients: Set<ComedyForkedActor> };
  sigintHandler: () => void;
  sigtermHandler: () => void;
}

/** comedy takes `/` + an absolute path as absolute, and one without extension serves both src and dist. */
const comedyPath = (file: string): string => `/${file}`;
const SHELL = comedyPath(path.resolve(__dirname, 'actor-side'));
const LOGGER = comedyPath(path.resolve(__dirname, 'logger'));

/**
 * comedy's workers exit when the daemon has not answered for so long, 15 s by default: a daemon that was stopped for a
 * while would find them dead. That it has gone they learn from the kernel and from their closed channel.
 */
const PARENT_SILENCE_MS = 86_400_000;
/** Milliseconds comedy and the process have to end once the actor has. */
const DESTROY_MS = 500;
/** Silence after which an actor is taken for hung: two beats lost and half of a third. */
const HUNG_MS = 2.5 * HEARTBEAT_MS;
/** While it starts a process is often kept from running: that is looked at from the beginning. */
const SUSPECT_START_MS = 0;

/** Left to the daemon itself, which has to open files and answer clients; another actor takes six while it starts. */
const KEPT_DESCRIPTORS = 16;
const NO_DESCRIPTORS =
  'too many open files in the daemon; raise its limit (ulimit -n, LimitNOFILE= in a systemd unit) and restart it';

type ReportHandler = (name: string, report: ActorReport) => void;

export class ActorHost {
  readonly #forked = new ForkedProcesses();
  readonly #monitor = new HeartbeatMonitor();
  readonly #watches = new Map<string, Watch>();
  /** Called when the actor of that name reports that it has stopped. */
  readonly #stopped = new Map<string, () => void>();

  private constructor(
    private readonly system: ComedySystem,
    private readonly root: ComedyRoot,
    private readonly log: Log,
    public logLevel: LogLevel,
  ) {}

  /** Starts the framework; `onReport` receives what actors tell the supervisor. */
  static async open(log: Log, logLevel: LogLevel, onReport: ReportHandler): Promise<ActorHost> {
    let receive: (name: string, report: ShellReport) => void = () => undefined;
    const system = createSystem({
      // Given so that comedy neither looks for an actors.json of its own nor watches one.
      config: {},
      pingTimeout: PARENT_SILENCE_MS,
      logger: LOGGER,
      loggerParams: { level: logLevel },
      root: {
        // Not heard within comedy's call, which makes of an error an answer that nobody reads.
        report: ({ name, reports }: { name: string; reports: readonly ShellReport[] }) =>
          queueMicrotask(() => {
            for (const report of reports) receive(name, report);
          }),
      },
    }) as unknown as ComedySystem;
    process.removeListener('SIGINT', system.sigintHandler);
    process.removeListener('SIGTERM', system.sigtermHandler);
    // comedy adds one `exit` listener per forked actor.
    process.setMaxListeners(0);
    const host = new ActorHost(system, await system.rootActor(), log, logLevel);
    receive = (name, report) => {
      if (report.kind === 'stopped') host.#stopped.get(name)?.();
      else onReport(name, report);
      if (report.kind === 'heartbeat') host.#watches.get(name)?.heard(report.heartbeat);
    };
    return host;
  }

  /**
   * Starts an actor's process and waits until it is ready for messages.
   * @param startMs milliseconds it may take, without those in which the machine did not let it run
   * @throws ActorStartFault when it fails or takes longer; its process is gone by then.
   */
  async start(spec: ActorSpec, startMs: number): Promise<HostedActor> {
    const parameters: ShellParameters = {
      name: spec.name,
      module: spec.module,
      logLevel: this.logLevel,
      parameters: spec.parameters,
    };
    if (spec.mode === 'forked' && (descriptorsLeft() ?? Infinity) < KEPT_DESCRIPTORS)
      throw new ActorStartFault(new Error(NO_DESCRIPTORS), 0, []);
    const forked = spec.mode === 'forked' ? this.#forked.expect(spec.name) : undefined;
    const created = this.root.createChild(SHELL, {
      mode: spec.mode,
      name: spec.name,
      customParameters: parameters,
    });
    if (forked === undefined) return this.#hosted(spec.name, await created, created, undefined);
    const child = await Promise.race([forked, created.then(() => forked)]);
    const actor = await this.#ready(spec.name, created, child, startMs);
    return this.#hosted(spec.name, actor, created, child);
  }

  /** Ends the framework; call it when all actors have stopped. */
  async close(): Promise<void> {
    this.#forked.close();
    this.#monitor.close();
    await withDeadline(this.system.destroy(), 1000);
  }

  async #ready(
    name: string,
    created: Promise<ComedyActor>,
    child: ActorProcess,
    startMs: number,
  ): Promise<ComedyActor> {
    const startError = await child.startError;
    if (startError !== undefined) {
      created.catch(() => undefined);
      this.#forget(name, created);
      throw new ActorStartFault(new Error(`its process could not be started: ${startError}`), child.pid, []);
    }
    const fault = { code: 'start-timeout', message: `was not ready within ${startMs} ms` };
    const watch = this.#monitor.watch(child.pid, { limitMs: startMs, fault, suspectMs: SUSPECT_START_MS });
    // comedy does not notice a process that ends before it is ready.
    const failed = Promise.race([watch.failed, child.exited.then((exit) => exitFault(exit, child))]);
    try {
      return await Promise.race([
        created,
        failed.then((fault) => {
          throw Fault.from(fault);
        }),
      ]);
    } catch (error) {
      created.catch(() => undefined);
      child.kill();
      await child.exited;
      this.#forget(name, created);
      throw new ActorStartFault(error as Error, child.pid, child.lastLines);
    } finally {
      watch.end();
    }
  }

  /** @param child undefined for an actor in memory, which ends only when it is stopped */
  #hosted(
    name: string,
    actor: ComedyActor,
    created: Promise<ComedyActor>,
    child: ActorProcess | undefined,
  ): HostedActor {
    let killedFor: FaultRecord | undefined;
    const exited = child?.exited.then((exit): ActorExit => {
      this.#unwatch(name);
      return { ...exit, fault: killedFor ?? exitFault(exit, child) };
    });
    void exited?.then(() => this.#forget(name, created));
    for (const { timeoutWorkerInterval } of this.#forkedActors(name)) clearInterval(timeoutWorkerInterval);
    const ended = exited ?? new Promise<ActorExit>(() => undefined);
    const commands = new Batch<ShellCommand>((batch) => this.#send(actor, batch));
    return {
      name,
      pid: child?.pid ?? process.pid,
      exited: ended,
      lastLines: child?.lastLines ?? [],
      begin: () => {
        commands.add({ kind: 'start' });
        if (child === undefined) return;
        void this.#failureOf(name, child.pid).then((fault) => {
          killedFor = fault;
          child.kill();
        });
      },
      send: (command) => commands.add(command),
      stop: async (deadlineMs) => {
        this.#unwatch(name);
        commands.add({ kind: 'stop' });
        await this.#haveStopped(name, ended, deadlineMs);
        await this.#destroy(name, actor, ended);
        if (child === undefined) this.#forget(name, created);
        else await this.#reap(name, child, ended);
      },
    };
  }

  /** Settles with why the actor must be replaced, if ever. */
  async #failureOf(name: string, pid: number): Promise<FaultRecord> {
    const fault = { code: 'hung', message: `gave no sign of life for ${HUNG_MS} ms` };
    const watch = this.#monitor.watch(pid, { limitMs: HUNG_MS, fault });
    this.#watches.set(name, watch);
    return watch.failed;
  }

  #unwatch(name: string): void {
    this.#watches.get(name)?.end();
    this.#watches.delete(name);
  }

  /** Waits until the actor has stopped, died or used up its time. */
  async #haveStopped(name: string, exited: Promise<unknown>, deadlineMs: number): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#stopped.set(name, resolve));
    await withDeadline(Promise.race([stopped, exited]), deadlineMs);
    this.#stopped.delete(name);
  }

  async #destroy(name: string, actor: ComedyActor, exited: Promise<unknown>): Promise<void> {
    const destroyed = actor
      .destroy()
      .catch((error: unknown) => this.log.debug(`${name}: ${(error as Error).message}`));
    await withDeadline(Promise.race([destroyed, exited]), DESTROY_MS);
  }

  #send(actor: ComedyActor, commands: readonly ShellCommand[]): void {
    actor
      .send('receive', { commands })
      .catch((error: unknown) => this.log.debug(`messages not delivered: ${(error as Error).message}`));
  }

  /** comedy resolves a stop before the process has gone; one that does not go is killed. */
  async #reap(name: string, child: ActorProcess, exited: Promise<ActorExit>): Promise<void> {
    if ((await withDeadline(exited, DESTROY_MS)) !== undefined) return;
    this.log.warn(`${name} did not stop, pid ${child.pid} is killed`);
    child.kill();
    await exited;
  }

  /** comedy keeps an interval, a listener and two references of an actor that died or never became ready. */
  #forget(name: string, created: Promise<ComedyActor>): void {
    this.root.childPromises = this.root.childPromises.filter((promise) => promise !== created);
    for (const recipient of this.#forkedActors(name)) {
      clearInterval(recipient.timeoutWorkerInterval);
      process.removeListener('exit', recipient.exitHandler);
      recipient._setState('destroyed');
      this.system.getBus().recipients.delete(recipient);
    }
  }

  #forkedActors(name: string): ComedyForkedActor[] {
    return [...this.system.getBus().recipients].filter((recipient) => recipient.getName() === name);
  }
}

function exitFault({ code, signal }: ProcessExit, child: ActorProcess): FaultRecord {
  const error = child.lastError();
  const how = signal === null ? `ended with code ${String(code)}` : `ended by ${signal}`;
  return { code: 'crashed', message: error === undefined ? how : `${how}: ${error.trim()}` };
}
