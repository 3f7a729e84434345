/**
 * The child's side of the actor framework: comedy constructs this class by path, in a forked process or in the
 * daemon's, and it runs the actor module named in its parameters. Every method of a comedy definition can be
 * called as a topic, so it has only the two that are needed.
 */
import { openLog, setLogLevel } from '../log/log';
import { keepCompiledCode } from '../os/compile-cache';
import { surviveClosedOutput } from '../os/output';
import type { Actor, ActorContext, StartActor } from '../protocol/actor';
import { HEARTBEAT_MS, type Heartbeat } from '../protocol/progress';
import { Batch } from './batch';
import type { HostCommand, HostReport, StartParameters } from './host-messages';

/** Time since the last heartbeat: from the first on, one is sent with the next message; at the second, on its own. */
const EARLIEST_MS = 0.9 * HEARTBEAT_MS;
const LATEST_MS = 1.1 * HEARTBEAT_MS;

/** The parts of comedy's actor this side uses; its own typings are incomplete. */
interface ComedySelf {
  getMode(): string;
  getCustomParameters(): StartParameters;
  getParent(): { send(topic: string, message: unknown): Promise<unknown> };
  /** On a forked actor: checks once a second for overdue answers; none is awaited. */
  timeoutWorkerInterval?: NodeJS.Timeout;
  getSystem(): { sigintHandler: () => void; sigtermHandler: () => void };
}

export default class ActorSide {
  #self: ComedySelf | undefined;
  #actor: Actor | undefined;
  #context: (ActorContext<unknown> & { parameters: unknown }) | undefined;
  #heart: NodeJS.Timeout | undefined;
  /** By performance.now(). */
  #beatMs = 0;
  readonly #reports = new Batch<HostReport>((reports) => this.#send(reports));

  initialize(self: ComedySelf): void {
    this.#self = self;
    if (self.getMode() === 'forked') ownTheProcess(self);
  }

  /**
   * Takes an object, because comedy spreads an array into arguments. Commands are handled outside comedy's
   * call, which turns an error into a reply that is never read: an actor that fails on a message must crash.
   */
  receive({ commands }: { readonly commands: readonly HostCommand[] }): void {
    queueMicrotask(() => {
      for (const command of commands) this.#obey(command);
    });
  }

  #obey(command: HostCommand): void {
    if (command.kind === 'start') this.#start();
    else if (command.kind === 'stop') void this.#stop();
    else if (command.kind === 'log-level') setLogLevel(command.level);
    else if (command.kind === 'parameters') void this.#change(command.parameters);
    else this.#actor?.receive(command);
  }

  async #change(parameters: unknown): Promise<void> {
    if (this.#context !== undefined) this.#context.parameters = parameters;
    await this.#actor?.changed?.();
    this.#reports.add({ kind: 'changed' });
  }

  /** Not in comedy's `destroy` hook: once that begins, comedy delivers no message to the actor, and a draining store waits for some. */
  async #stop(): Promise<void> {
    await this.#actor?.stop();
    clearTimeout(this.#heart);
    this.#heart = undefined;
    this.#reports.add({ kind: 'stopped' });
  }

  #send(reports: readonly HostReport[]): void {
    const self = this.#self;
    if (self === undefined) return;
    const { name } = self.getCustomParameters();
    const heartbeat = this.#heartbeat();
    const all = heartbeat === undefined ? reports : [...reports, { kind: 'heartbeat', heartbeat }];
    self
      .getParent()
      .send('report', { name, reports: all })
      .catch(() => undefined);
  }

  #start(): void {
    const self = this.#self;
    if (self === undefined || this.#actor !== undefined) return;
    const { name, module, logLevel, parameters } = self.getCustomParameters();
    this.#context = {
      parameters,
      log: openLog(name, logLevel),
      report: (report) => this.#reports.add(report),
    };
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the supervisor names actors by path
    const { default: startActor } = require(module) as { default: StartActor<unknown> };
    this.#actor = startActor(this.#context);
    if (self.getMode() === 'forked') keepCompiledCode();
    this.#awaitBeat();
  }

  #awaitBeat(): void {
    clearTimeout(this.#heart);
    this.#heart = setTimeout(() => this.#send([]), LATEST_MS);
  }

  /** Sent with any message when due: a camera's picture and its heartbeat take one wake-up and one message a second. */
  #heartbeat(): Heartbeat | undefined {
    const nowMs = performance.now();
    if (this.#heart === undefined || this.#actor === undefined || nowMs - this.#beatMs < EARLIEST_MS)
      return undefined;
    this.#beatMs = nowMs;
    this.#awaitBeat();
    return { ...this.#actor.progress(), memoryBytes: process.memoryUsage.rss() };
  }
}

/** In a process of its own, an actor ends only when the supervisor ends it or has gone. */
function ownTheProcess(self: ComedySelf): void {
  surviveClosedOutput();
  clearInterval(self.timeoutWorkerInterval);
  const { sigintHandler, sigtermHandler } = self.getSystem();
  process.removeListener('SIGINT', sigintHandler);
  process.removeListener('SIGTERM', sigtermHandler);
  // Ctrl-C and a service manager's SIGTERM reach the whole process group; the supervisor stops its actors in order.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.once('disconnect', () => process.exit(1));
}
