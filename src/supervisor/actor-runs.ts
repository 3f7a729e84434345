/** One run of an actor's process: the start when its turn comes, the work, and the crash report. */
import type { ActorHost } from '../comedy/host';
import { ActorStartFault, type HostedActor } from '../comedy/hosted-actor';
import { Fault, faultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import type { WantedActor } from './actor-specs';
import type { BlackBox, Crash } from './black-box';
import type { ChildEnd, Incarnation } from './child';
import type { FigureKeeper } from './figures';
import type { ReportRouter } from './report-router';
import type { Rollout } from './rollout';
import type { Serving } from './serving';
import type { StartGate } from './start-gate';

export interface ActorRunsOptions {
  readonly host: Pick<ActorHost, 'start'>;
  /** Limits how many cameras start at the same time. */
  readonly gate: StartGate;
  readonly router: Pick<ReportRouter, 'join' | 'leave'>;
  readonly rollout: Pick<Rollout, 'starts' | 'runs'>;
  readonly serving: Pick<Serving, 'ended'>;
  readonly blackBox: Pick<BlackBox, 'record'>;
  readonly figures: Pick<FigureKeeper, 'ended'>;
  readonly log: Log;
  /** The actor as it is wanted now. */
  readonly wanted: (name: string) => WantedActor | undefined;
}

export class ActorRuns {
  constructor(private readonly options: ActorRunsOptions) {}

  /**
   * Resolves when the actor works.
   * @param until the process starts at once, and begins its work when this resolves
   * @throws Fault when it cannot be started, was removed meanwhile, or `signal` is aborted
   */
  async start(name: string, until: Promise<unknown>, signal: AbortSignal): Promise<Incarnation> {
    const { router, rollout, log, wanted } = this.options;
    const asked = wanted(name);
    if (asked === undefined) throw new Fault('not-wanted', 'is no longer wanted');
    const actor = await this.#startProcess(asked, signal);
    const startedAtMs = Date.now();
    await Promise.race([until, actor.exited]);
    if (!signal.aborted) {
      actor.begin();
      log.info(`${name} runs`, { child: actor.pid });
    }
    router.join(actor);
    if (!signal.aborted) rollout.runs(actor);
    let isStopping = signal.aborted;
    return {
      pid: actor.pid,
      ended: this.#endOf(actor, startedAtMs, () => isStopping),
      stop: async () => {
        isStopping = true;
        const { shutdownMs } = (wanted(name) ?? asked).child;
        await actor.stop(shutdownMs);
        router.leave(actor);
      },
    };
  }

  async #startProcess(asked: WantedActor, signal: AbortSignal): Promise<HostedActor> {
    const { gate, host, rollout, wanted } = this.options;
    const { name } = asked.actor;
    const start = async () => {
      if (signal.aborted) throw new Fault('stopped', 'was stopped before it started');
      // It may have been edited while it waited.
      const newest = wanted(name) ?? asked;
      rollout.starts(name, newest);
      return host.start(newest.actor, newest.child.startMs);
    };
    const startedAtMs = Date.now();
    try {
      return await (asked.kind === 'camera' ? gate.pass(start) : start());
    } catch (error) {
      if (error instanceof ActorStartFault) {
        const { pid, lastLines } = error;
        const fault = faultRecord(error, error.code);
        void this.#record({ name, pid, startedAtMs, lastLines, fault, exitCode: null, signal: null });
      }
      throw error;
    }
  }

  async #endOf(actor: HostedActor, startedAtMs: number, wasAsked: () => boolean): Promise<ChildEnd> {
    const { code, signal, fault } = await actor.exited;
    const { name, pid, lastLines } = actor;
    this.options.serving.ended(name);
    this.options.router.leave(actor);
    if (!wasAsked()) void this.#record({ name, pid, startedAtMs, lastLines, fault, exitCode: code, signal });
    return { normal: code === 0, fault };
  }

  /** A failed write of the crash report must not keep a child from restarting. */
  async #record(crash: Omit<Crash, 'endedAtMs'>): Promise<void> {
    const { blackBox, figures, log } = this.options;
    const { name, fault } = crash;
    figures.ended(name, fault.code);
    try {
      const file = await blackBox.record({ ...crash, endedAtMs: Date.now() });
      log.info(`crash report for ${name} written`, { file });
    } catch (error) {
      log.warn(`the crash report for ${name} could not be written: ${(error as Error).message}`);
    }
  }
}
