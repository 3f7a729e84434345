/** An actor that has started: passes commands to it, kills it if its heartbeats stop, and ends it. */
import { withDeadline } from '../clock/sleep';
import type { FaultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import { HEARTBEAT_MS } from '../protocol/progress';
import { Batch } from './batch';
import { exitFault, type ActorProcess } from './fork';
import type { ComedyActor } from './framework';
import type { HeartbeatMonitor, Watch } from './heartbeat-monitor';
import type { HostCommand, HostReport } from './host-messages';
import type { ActorExit, HostedActor } from './hosted-actor';

/** Milliseconds that comedy and the process have to end after the actor. */
const DESTROY_MS = 500;
/** Silence after which an actor counts as hung: two heartbeats and half of a third. */
const HUNG_MS = 2.5 * HEARTBEAT_MS;
const HUNG: FaultRecord = { code: 'hung', message: `sent no heartbeat for ${HUNG_MS} ms` };

export interface RunningActorOptions {
  readonly name: string;
  readonly actor: ComedyActor;
  /** Undefined for an actor in memory, which ends only when it is stopped. */
  readonly child: ActorProcess | undefined;
  readonly monitor: HeartbeatMonitor;
  readonly log: Log;
  /** Called once when it has ended. */
  readonly onEnded: () => void;
}

export class RunningActor implements HostedActor {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ActorExit>;
  readonly lastLines: readonly string[];
  readonly #commands: Batch<HostCommand>;
  #watch: Watch | undefined;
  #killedFor: FaultRecord | undefined;
  #onStopped: () => void = () => undefined;

  constructor(private readonly options: RunningActorOptions) {
    const { name, child } = options;
    this.name = name;
    this.pid = child?.pid ?? process.pid;
    this.lastLines = child?.lastLines ?? [];
    this.#commands = new Batch((commands) => this.#deliver(commands));
    this.exited =
      child === undefined
        ? new Promise(() => undefined)
        : child.exited.then((exit) => this.#exitOf(exit, child));
    void this.exited.then(options.onEnded);
  }

  begin(): void {
    this.send({ kind: 'start' });
    const { child, monitor } = this.options;
    if (child === undefined) return;
    this.#watch = monitor.watch(child.pid, { limitMs: HUNG_MS, fault: HUNG });
    void this.#watch.failed.then((fault) => {
      this.#killedFor = fault;
      child.kill();
    });
  }

  send(command: HostCommand): void {
    this.#commands.add(command);
  }

  /** A report of it has arrived. */
  hear(report: HostReport): void {
    if (report.kind === 'stopped') this.#onStopped();
    else if (report.kind === 'heartbeat') this.#watch?.heard(report.heartbeat);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#unwatch();
    this.send({ kind: 'stop' });
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    await withDeadline(Promise.race([stopped, this.exited]), deadlineMs);
    await this.#destroy();
    const { child, onEnded } = this.options;
    if (child === undefined) onEnded();
    else await this.#reap(child);
  }

  #exitOf(exit: Awaited<ActorProcess['exited']>, child: ActorProcess): ActorExit {
    this.#unwatch();
    return { ...exit, fault: this.#killedFor ?? exitFault(exit, child) };
  }

  #unwatch(): void {
    this.#watch?.end();
    this.#watch = undefined;
  }

  #deliver(commands: readonly HostCommand[]): void {
    const { name, actor, log } = this.options;
    actor
      .send('receive', { commands })
      .catch((error: unknown) => log.debug(`${name}: messages not delivered: ${(error as Error).message}`));
  }

  async #destroy(): Promise<void> {
    const { name, actor, log } = this.options;
    const destroyed = actor
      .destroy()
      .catch((error: unknown) => log.debug(`${name}: ${(error as Error).message}`));
    await withDeadline(Promise.race([destroyed, this.exited]), DESTROY_MS);
  }

  /** comedy resolves a stop before the process has exited; a process that does not exit is killed. */
  async #reap(child: ActorProcess): Promise<void> {
    if ((await withDeadline(this.exited, DESTROY_MS)) !== undefined) return;
    this.options.log.warn(`${this.name} did not stop; killing pid ${child.pid}`);
    child.kill();
    await this.exited;
  }
}
