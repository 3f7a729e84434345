/** Runs actors: starts each in a process of its own, or in the daemon's, and passes on their reports. */
import { Fault } from '../fault/fault';
import type { Log, LogLevel } from '../log/log';
import { descriptorsLeft } from '../os/descriptor-limit';
import type { ActorReport } from '../protocol/messages';
import { exitFault, ForkedProcesses, type ActorProcess } from './fork';
import { Framework, type ComedyActor } from './framework';
import { HeartbeatMonitor } from './heartbeat-monitor';
import type { HostReport } from './host-messages';
import { ActorStartFault, type ActorSpec, type HostedActor } from './hosted-actor';
import { RunningActor } from './running-actor';

/** A starting process often has to wait for a processor: the kernel is asked about that from the beginning. */
const SUSPECT_START_MS = 0;

/** Descriptors left to the daemon itself, which opens files and answers clients; an actor takes six while it starts. */
const KEPT_DESCRIPTORS = 16;
const NO_DESCRIPTORS =
  'too many open files in the daemon; raise its limit (ulimit -n, LimitNOFILE= in a systemd unit) and restart it';

export type ReportHandler = (name: string, report: ActorReport) => void;

export class ActorHost {
  readonly #forked = new ForkedProcesses();
  readonly #monitor = new HeartbeatMonitor();
  readonly #running = new Map<string, RunningActor>();
  #framework!: Framework;

  private constructor(
    private readonly log: Log,
    public logLevel: LogLevel,
    private readonly onReport: ReportHandler,
  ) {}

  /** Starts the framework; `onReport` receives what actors report to the supervisor. */
  static async open(log: Log, logLevel: LogLevel, onReport: ReportHandler): Promise<ActorHost> {
    const host = new ActorHost(log, logLevel, onReport);
    host.#framework = await Framework.open(logLevel, (name, report) => host.#receive(name, report));
    return host;
  }

  /**
   * Starts an actor's process and waits until it is ready for messages.
   * @param startMs milliseconds it may take, not counting those in which the machine did not let it run
   * @throws ActorStartFault when it fails or takes longer; its process has ended by then.
   */
  async start(spec: ActorSpec, startMs: number): Promise<HostedActor> {
    const { name, mode } = spec;
    if (mode === 'forked' && (descriptorsLeft() ?? Infinity) < KEPT_DESCRIPTORS)
      throw new ActorStartFault(new Error(NO_DESCRIPTORS), 0, []);
    const forked = mode === 'forked' ? this.#forked.expect(name) : undefined;
    const created = this.#framework.create(spec, this.logLevel);
    if (forked === undefined) return this.#run(name, created, await created, undefined);
    const child = await Promise.race([forked, created.then(() => forked)]);
    const actor = await this.#ready(name, created, child, startMs);
    return this.#run(name, created, actor, child);
  }

  /** Ends the framework; call it when all actors have stopped. */
  async close(): Promise<void> {
    this.#forked.close();
    this.#monitor.close();
    await this.#framework.close();
  }

  #receive(name: string, report: HostReport): void {
    if (report.kind !== 'stopped') this.onReport(name, report);
    this.#running.get(name)?.hear(report);
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
      this.#framework.forget(name, created);
      throw new ActorStartFault(new Error(`its process could not be started: ${startError}`), child.pid, []);
    }
    const fault = { code: 'start-timeout', message: `was not ready within ${startMs} ms` };
    const watch = this.#monitor.watch(child.pid, { limitMs: startMs, fault, suspectMs: SUSPECT_START_MS });
    // comedy does not notice a process that ends before it is ready.
    const failed = Promise.race([watch.failed, child.exited.then((exit) => exitFault(exit, child))]);
    try {
      return await Promise.race([
        created,
        failed.then((record) => {
          throw Fault.from(record);
        }),
      ]);
    } catch (error) {
      created.catch(() => undefined);
      child.kill();
      await child.exited;
      this.#framework.forget(name, created);
      throw new ActorStartFault(error as Error, child.pid, child.lastLines);
    } finally {
      watch.end();
    }
  }

  #run(
    name: string,
    created: Promise<ComedyActor>,
    actor: ComedyActor,
    child: ActorProcess | undefined,
  ): HostedActor {
    this.#framework.expectNoReplies(name);
    const onEnded = () => {
      this.#framework.forget(name, created);
      if (this.#running.get(name) === running) this.#running.delete(name);
    };
    const { log } = this;
    const running = new RunningActor({ name, actor, child, monitor: this.#monitor, log, onEnded });
    this.#running.set(name, running);
    return running;
  }
}
