/**
 * Runs actors on comedy. This is the only module that imports it: comedy forks processes and carries messages,
 * everything it does unsafely (docs/actors.md says what) is switched off or undone here.
 */
import childProcess, { type ChildProcess, type ForkOptions } from 'node:child_process';
import path from 'node:path';
import { createSystem } from 'comedy';
import type { ShellCommand, ShellParameters, ShellReport } from '../actors/shell';
import { withDeadline } from '../clock/sleep';
import type { ActorMode } from '../config/topology';
import type { Log, LogLevel } from '../log/log';
import { Fault } from '../protocol/fault';
import type { ActorCommand, ActorReport } from '../protocol/messages';
import { dieWithParent } from '../process/orphans';

export interface ActorSpec {
  /** Unique among running actors; shown by `ps`. */
  readonly name: string;
  readonly mode: ActorMode;
  /** Absolute path of the actor module. */
  readonly module: string;
  readonly parameters: unknown;
  /** Milliseconds the process may take until it is ready for messages. */
  readonly startMs: number;
}

/** How an actor's process ended. */
export interface ActorExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface HostedActor {
  readonly name: string;
  /** Process id; the daemon's own for an actor in memory. */
  readonly pid: number;
  /** Settles when the actor's process has ended, for whatever reason. Never rejects. */
  readonly exited: Promise<ActorExit>;
  /** Lets the actor do its work; until then it only holds its process ready. */
  begin(): void;
  /** Never throws: a message to an actor that has died is lost with it. */
  send(command: ActorCommand): void;
  /** Asks the actor to stop, waits until the deadline, then kills; resolves when its process has gone. */
  stop(deadlineMs: number): Promise<void>;
}

/** What of comedy's objects is used here; its typings are incomplete. */
interface ComedyActor {
  send(topic: string, message: unknown): Promise<unknown>;
  destroy(): Promise<void>;
}
interface ComedyForkedActor {
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
const SHELL = comedyPath(path.resolve(__dirname, '../actors/shell'));
const LOGGER = comedyPath(path.resolve(__dirname, '../log/comedy-logger'));

/** Variables an actor's process gets; what else is in the daemon's environment may be a secret. */
const INHERITED =
  /^(PATH|HOME|TMPDIR|TZ|TERM|LANG|LC_.*|NODE_.*|NO_COLOR|MALLOC_ARENA_MAX|SSL_CERT_.*|TSX_.*)$/;

/** Milliseconds comedy and the process have to end once the actor has. */
const DESTROY_MS = 500;

type ReportHandler = (name: string, report: ActorReport) => void;

export class ActorHost {
  /** Processes comedy has forked, by actor name: known before the actor is ready, so that a stuck one can be killed. */
  readonly #processes = new Map<string, ChildProcess>();
  /** Told of the process of an actor that is being started, by actor name. */
  readonly #starting = new Map<string, (child: ChildProcess) => void>();
  readonly #fork = childProcess.fork;

  private constructor(
    private readonly system: ComedySystem,
    private readonly root: ComedyRoot,
    /** Called when the actor of that name reports that it has stopped. */
    private readonly stopped: Map<string, () => void>,
    private readonly log: Log,
    private readonly logLevel: LogLevel,
  ) {}

  /** Starts the framework; `onReport` receives what actors tell the supervisor. */
  static async open(log: Log, logLevel: LogLevel, onReport: ReportHandler): Promise<ActorHost> {
    const stopped = new Map<string, () => void>();
    const system = createSystem({
      // Given so that comedy neither looks for an actors.json of its own nor watches one.
      config: {},
      logger: LOGGER,
      loggerParams: { level: logLevel },
      root: {
        report: ({ name, report }: { name: string; report: ShellReport }) => {
          if (report.kind === 'stopped') stopped.get(name)?.();
          else onReport(name, report);
        },
      },
    }) as unknown as ComedySystem;
    process.removeListener('SIGINT', system.sigintHandler);
    process.removeListener('SIGTERM', system.sigtermHandler);
    // comedy adds one `exit` listener per forked actor.
    process.setMaxListeners(0);
    const host = new ActorHost(system, await system.rootActor(), stopped, log, logLevel);
    host.#interceptFork();
    return host;
  }

  /**
   * Starts an actor's process and waits until it is ready for messages.
   * @throws Fault `actor-start` when it fails or takes longer than `startMs`; its process is gone by then.
   */
  async start(spec: ActorSpec): Promise<HostedActor> {
    const parameters: ShellParameters = {
      name: spec.name,
      module: spec.module,
      logLevel: this.logLevel,
      parameters: spec.parameters,
    };
    const forked = new Promise<ChildProcess>((resolve) => this.#starting.set(spec.name, resolve));
    const created = this.root.createChild(SHELL, {
      mode: spec.mode,
      name: spec.name,
      customParameters: parameters,
    });
    const actor = await this.#ready(spec, created, forked);
    return this.#hosted(spec.name, actor, created);
  }

  /** Ends the framework; call it when all actors have stopped. */
  async close(): Promise<void> {
    (childProcess as { fork: typeof childProcess.fork }).fork = this.#fork;
    await withDeadline(this.system.destroy(), 1000);
  }

  async #ready(
    spec: ActorSpec,
    created: Promise<ComedyActor>,
    forked: Promise<ChildProcess>,
  ): Promise<ComedyActor> {
    // comedy does not notice a process that ends before it is ready.
    const died = forked.then(exitOf).then(({ code, signal }) => {
      throw new Error(`its process ended ${signal === null ? `with code ${String(code)}` : `by ${signal}`}`);
    });
    died.catch(() => undefined);
    try {
      const actor = await withDeadline(Promise.race([created, died]), spec.startMs);
      if (actor !== undefined) return actor;
      throw new Error(`not ready within ${String(spec.startMs)} ms`);
    } catch (error) {
      created.catch(() => undefined);
      if (spec.mode === 'forked') {
        // It may not have been forked yet, but will be.
        const child = await forked;
        child.kill('SIGKILL');
        await exitOf(child);
      }
      this.#forget(spec.name, created);
      throw new Fault('actor-start', `${spec.name} did not start: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      this.#starting.delete(spec.name);
    }
  }

  #hosted(name: string, actor: ComedyActor, created: Promise<ComedyActor>): HostedActor {
    const child = this.#processes.get(name);
    const exited = child === undefined ? new Promise<ActorExit>(() => undefined) : exitOf(child);
    void exited.then(() => {
      this.#forget(name, created);
    });
    return {
      name,
      pid: child?.pid ?? process.pid,
      exited,
      begin: () => {
        this.#send(actor, { kind: 'start' });
      },
      send: (command) => {
        this.#send(actor, command);
      },
      stop: async (deadlineMs) => {
        await this.#askToStop(name, actor, exited, deadlineMs);
        const destroyed = actor.destroy().catch((error: unknown) => {
          this.log.debug(`${name}: ${(error as Error).message}`);
        });
        await withDeadline(Promise.race([destroyed, exited]), DESTROY_MS);
        if (child !== undefined) await this.#reap(name, child, exited);
      },
    };
  }

  /** Waits until the actor has stopped, died or used up its time. */
  async #askToStop(
    name: string,
    actor: ComedyActor,
    exited: Promise<unknown>,
    deadlineMs: number,
  ): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.stopped.set(name, resolve));
    this.#send(actor, { kind: 'stop' });
    await withDeadline(Promise.race([stopped, exited]), deadlineMs);
    this.stopped.delete(name);
  }

  #send(actor: ComedyActor, command: ShellCommand): void {
    actor.send('receive', command).catch((error: unknown) => {
      this.log.debug(`message not delivered: ${(error as Error).message}`);
    });
  }

  /** comedy resolves a stop before the process has gone; one that does not go is killed. */
  async #reap(name: string, child: ChildProcess, exited: Promise<ActorExit>): Promise<void> {
    if ((await withDeadline(exited, DESTROY_MS)) !== undefined) return;
    this.log.warn(`${name} did not stop, pid ${String(child.pid)} is killed`);
    child.kill('SIGKILL');
    await exited;
  }

  /** comedy keeps an interval, a listener and two references of an actor that died or never became ready. */
  #forget(name: string, created: Promise<ComedyActor>): void {
    this.#processes.delete(name);
    this.root.childPromises = this.root.childPromises.filter((promise) => promise !== created);
    const { recipients } = this.system.getBus();
    for (const recipient of recipients) {
      if (recipient.getName() !== name) continue;
      clearInterval(recipient.timeoutWorkerInterval);
      process.removeListener('exit', recipient.exitHandler);
      recipient._setState('destroyed');
      recipients.delete(recipient);
    }
  }

  /** comedy offers no way to say how a worker is forked, so its call of `fork` is answered here. */
  #interceptFork(): void {
    const fork = this.#fork;
    const processes = this.#processes;
    const starting = this.#starting;
    const intercepted = (
      modulePath: string | URL,
      args: readonly string[] = [],
      options: ForkOptions = {},
    ) => {
      const [name] = args;
      if (name === undefined || !/forked-actor-worker/.test(String(modulePath)))
        return fork(modulePath, args, options);
      const execArgv = options.execArgv ?? process.execArgv;
      const { program, args: programArgs } = dieWithParent('KILL', {
        program: process.execPath,
        args: execArgv,
      });
      const child = fork(modulePath, args, {
        ...options,
        execPath: program,
        execArgv: [...programArgs],
        env: Object.fromEntries(Object.entries(process.env).filter(([key]) => INHERITED.test(key))),
      });
      processes.set(name, child);
      starting.get(name)?.(child);
      return child;
    };
    (childProcess as { fork: unknown }).fork = intercepted;
  }
}

async function exitOf(child: ChildProcess): Promise<ActorExit> {
  if (child.exitCode !== null || child.signalCode !== null)
    return { code: child.exitCode, signal: child.signalCode };
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}
