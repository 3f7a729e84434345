/** Keeps one child running: starts it, notices when it ends, and restarts it according to its spec until it is stopped. */
import { sleep, unlessAborted } from '../clock/sleep';
import type { ChildSpec } from '../config/topology';
import type { Log } from '../log/log';
import { Sparse } from '../log/sparse';
import { Fault, faultRecord, type FaultRecord } from '../fault/fault';
import type { RestartBudget } from './restart-budget';
import { afterEnd, isHealthy, isReleased, NO_HISTORY, withOutput, type Output } from './restart-policy';

/** How one run of a child ended. */
export interface ChildEnd {
  /** The child ended of its own accord, without an error. */
  readonly normal: boolean;
  /** The reason, as one sentence without its subject. */
  readonly fault: FaultRecord;
}

/** One run of a child. */
export interface Incarnation {
  readonly pid: number | undefined;
  /** Settles when the child has ended; never rejects. */
  readonly ended: Promise<ChildEnd>;
  stop(): Promise<void>;
}

export type ChildState =
  | { readonly name: 'down' }
  | { readonly name: 'starting' }
  | { readonly name: 'running'; readonly pid: number | undefined }
  /** Between two runs: the back-off pause, then the wait for the host's restart budget. */
  | { readonly name: 'waiting'; readonly delayMs: number }
  /** Beyond its intensity and retried at intervals; `pid` while such a try runs. */
  | { readonly name: 'quarantined'; readonly pid?: number | undefined }
  /** Ended for good, by its restart type or its intensity. */
  | { readonly name: 'ended' }
  | { readonly name: 'stopped' };

export interface ChildOptions {
  readonly name: string;
  readonly log: Log;
  /** The current child spec. */
  readonly spec: () => ChildSpec;
  /** The host's restart budget; absent for required children. */
  readonly budget?: RestartBudget | undefined;
  /** Starts the child and resolves when it runs. Throws when it cannot be started, or `signal` is aborted meanwhile. */
  readonly start: (signal: AbortSignal) => Promise<Incarnation>;
  /** Called with every state the child enters and the fault of its last end. */
  readonly onState?: (state: ChildState, fault: FaultRecord | undefined) => void;
  /** The child exceeded its intensity and has no `probeMs`: it stays down, and the daemon must end. */
  readonly onEscalation: (fault: FaultRecord) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

export class Child {
  readonly #stopping = new AbortController();
  #ran: Promise<void> = Promise.resolve();
  #state: ChildState = { name: 'down' };
  #sinceMs = Date.now();
  #history = NO_HISTORY;
  #output: Output | undefined;
  #restarts = 0;
  #lastFault: (FaultRecord & { readonly atMs: number }) | undefined;
  readonly #now: () => number;
  /** Log lines about its ends. */
  readonly #lines: Sparse;

  constructor(private readonly options: ChildOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#lines = new Sparse(this.#now);
  }

  get name(): string {
    return this.options.name;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** When the state began, milliseconds since the epoch. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Number of starts after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  get lastFault(): (FaultRecord & { readonly atMs: number }) | undefined {
    return this.#lastFault;
  }

  /**
   * Starts the child; resolves when its first run has begun.
   * @throws what the first start throws; the child is down then
   */
  async start(): Promise<void> {
    const first = this.#startOnce();
    this.#ran = first.then(
      () => this.#keepRunning(first),
      () => this.#enter({ name: 'down' }),
    );
    await first;
  }

  /** Like {@link start}, but a failed first start is handled like any other end. */
  async startOrRetry(): Promise<void> {
    const first = this.#startOnce();
    this.#ran = this.#keepRunning(first);
    await first.catch(() => undefined);
  }

  /** The child has completed a unit of work. A late report of a run that has ended does not count. */
  worked(): void {
    if (!('pid' in this.#state)) return;
    this.#output = withOutput(this.#output, this.#now());
    if (isHealthy(this.#output)) this.#history = { ...this.#history, crashes: 0 };
    if (!this.#isQuarantined || !isReleased(this.#output)) return;
    this.#history = NO_HISTORY;
    this.options.log.info(`${this.name} works again and leaves quarantine`);
    this.#enter({ name: 'running', pid: this.#state.pid });
  }

  get #isQuarantined(): boolean {
    return this.#state.name === 'quarantined';
  }

  /** Ends the child and keeps it ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ran;
    this.#enter({ name: 'stopped' });
  }

  async #keepRunning(first: Promise<Incarnation>): Promise<void> {
    const { signal } = this.#stopping;
    for (let started = first; ; started = this.#startOnce()) {
      const end = await this.#endOfRun(started, signal);
      if (end === undefined || !(await this.#pauseAfter(end, signal))) return;
      this.#restarts++;
    }
  }

  async #startOnce(): Promise<Incarnation> {
    if (this.#stopping.signal.aborted)
      throw new Fault('stopped', `${this.name} was stopped before it started`);
    if (!this.#isQuarantined) this.#enter({ name: 'starting' });
    return this.options.start(this.#stopping.signal);
  }

  /** The end of one run; undefined if it was requested. */
  async #endOfRun(started: Promise<Incarnation>, signal: AbortSignal): Promise<ChildEnd | undefined> {
    try {
      return await this.#endOf(await started, signal);
    } catch (error) {
      return signal.aborted ? undefined : { normal: false, fault: faultRecord(error, 'start') };
    }
  }

  async #endOf(incarnation: Incarnation, signal: AbortSignal): Promise<ChildEnd | undefined> {
    const { pid } = incarnation;
    this.#output = undefined;
    this.#enter({ name: this.#isQuarantined ? 'quarantined' : 'running', pid });
    const end = await unlessAborted(incarnation.ended, signal);
    if (end === undefined) await incarnation.stop();
    return end;
  }

  /** False if no further run follows: the child has ended for good, has escalated or has been stopped. */
  async #pauseAfter(end: ChildEnd, signal: AbortSignal): Promise<boolean> {
    if (!end.normal) this.#lastFault = { ...end.fault, atMs: Date.now() };
    const ended = { normal: end.normal, output: this.#output, quarantined: this.#isQuarantined };
    const decision = afterEnd(this.options.spec(), this.#history, ended, this.#now(), Math.random());
    switch (decision.kind) {
      case 'over':
        this.#say(end.fault, `it is ${this.options.spec().restart} and not started again`);
        this.#enter({ name: 'ended' });
        return false;
      case 'escalate':
        this.#enter({ name: 'ended' });
        this.options.onEscalation({
          code: 'escalated',
          message: `${this.name}: ${this.#limit()}, at last: ${end.fault.message}`,
        });
        return false;
      case 'quarantine':
        return this.#waitForProbe(end.fault, decision.probeMs, signal);
      case 'restart':
        this.#history = decision.history;
        this.#say(end.fault, `started again ${afterText(decision.delayMs)}`);
        return this.#pause(decision.delayMs, decision.history.crashes, signal);
    }
  }

  #say({ code, message }: FaultRecord, sequel: string): void {
    this.#lines.say((skipped) => {
      const fields = skipped === 0 ? { code } : { code, times: skipped };
      this.options.log.warn(`${this.name}: ${message}; ${sequel}`, fields);
    });
  }

  async #pause(delayMs: number, crashes: number, signal: AbortSignal): Promise<boolean> {
    this.#enter({ name: 'waiting', delayMs });
    await sleep(delayMs, signal);
    await this.options.budget?.take(crashes, signal);
    return !signal.aborted;
  }

  #limit(): string {
    const { maxRestarts, periodMs } = this.options.spec();
    return `more than ${maxRestarts} restarts in ${periodMs} ms`;
  }

  async #waitForProbe(fault: FaultRecord, probeMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isQuarantined) {
      this.options.log.error(`${this.name}: ${this.#limit()}; it is quarantined until it works`, {
        code: 'quarantined',
      });
    }
    this.#say(fault, `tried again ${afterText(probeMs)}`);
    this.#enter({ name: 'quarantined' });
    await sleep(probeMs, signal);
    await this.options.budget?.take(Infinity, signal);
    return !signal.aborted;
  }

  #enter(state: ChildState): void {
    if (state.name !== this.#state.name) this.#sinceMs = Date.now();
    this.#state = state;
    this.options.log.debug(`${this.name} is ${state.name}`);
    this.options.onState?.(state, this.#lastFault);
  }
}

function afterText(delayMs: number): string {
  return delayMs === 0 ? 'at once' : `in ${delayMs} ms`;
}
