/**
 * comedy in the daemon's process: the only module here that imports it. Its unsafe features (listed in docs/actors.md) are
 * switched off, and its leftovers are removed.
 */
import path from 'node:path';
import './lean';
import { createSystem } from 'comedy';
import { withDeadline } from '../clock/sleep';
import type { LogLevel } from '../log/log';
import type { HostReport, StartParameters } from './host-messages';
import type { ActorSpec } from './hosted-actor';

/** The parts of comedy's objects that are used here; its typings are incomplete. */
export interface ComedyActor {
  send(topic: string, message: unknown): Promise<unknown>;
  destroy(): Promise<void>;
}
interface ComedyForkedActor {
  /** Checks once a second for overdue answers; none is awaited. */
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
const ACTOR_SIDE = comedyPath(path.resolve(__dirname, 'actor-side'));
const LOGGER = comedyPath(path.resolve(__dirname, 'logger'));

/**
 * comedy's workers exit when the daemon has not answered for this long, 15 s by default: a daemon that was stopped for a
 * while would find them dead. When the daemon has gone, the kernel or their closed channel ends them.
 */
const PARENT_SILENCE_MS = 86_400_000;
const CLOSE_MS = 1000;

/** Called with each report of each actor, and the actor's name. */
export type OnReport = (name: string, report: HostReport) => void;

export class Framework {
  private constructor(
    private readonly system: ComedySystem,
    private readonly root: ComedyRoot,
  ) {}

  static async open(logLevel: LogLevel, onReport: OnReport): Promise<Framework> {
    const system = createSystem({
      // Given so that comedy neither searches for an actors.json nor watches one.
      config: {},
      pingTimeout: PARENT_SILENCE_MS,
      logger: LOGGER,
      loggerParams: { level: logLevel },
      root: {
        // Not handled within comedy's call, which turns an error into a reply that is never read.
        report: ({ name, reports }: { name: string; reports: readonly HostReport[] }) =>
          queueMicrotask(() => {
            for (const report of reports) onReport(name, report);
          }),
      },
    }) as unknown as ComedySystem;
    process.removeListener('SIGINT', system.sigintHandler);
    process.removeListener('SIGTERM', system.sigtermHandler);
    // comedy adds one `exit` listener per forked actor.
    process.setMaxListeners(0);
    return new Framework(system, await system.rootActor());
  }

  /** Not async: {@link forget} looks for the very promise that comedy keeps. */
  create({ mode, name, module, parameters }: ActorSpec, logLevel: LogLevel): Promise<ComedyActor> {
    const customParameters: StartParameters = { name, module, logLevel, parameters };
    return this.root.createChild(ACTOR_SIDE, { mode, name, customParameters });
  }

  /** No reply of that actor is awaited: comedy need not check for overdue ones. */
  expectNoReplies(name: string): void {
    for (const { timeoutWorkerInterval } of this.#forkedActors(name)) clearInterval(timeoutWorkerInterval);
  }

  /** comedy keeps an interval, a listener and two references of an actor that died or never became ready. */
  forget(name: string, created: Promise<ComedyActor>): void {
    this.root.childPromises = this.root.childPromises.filter((promise) => promise !== created);
    for (const recipient of this.#forkedActors(name)) {
      clearInterval(recipient.timeoutWorkerInterval);
      process.removeListener('exit', recipient.exitHandler);
      recipient._setState('destroyed');
      this.system.getBus().recipients.delete(recipient);
    }
  }

  async close(): Promise<void> {
    await withDeadline(this.system.destroy(), CLOSE_MS);
  }

  #forkedActors(name: string): ComedyForkedActor[] {
    return [...this.system.getBus().recipients].filter((recipient) => recipient.getName() === name);
  }
}
