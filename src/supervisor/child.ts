/** Keeps one child running: starts it, notices its end, starts it again, until it is stopped. */
import { sleep, unlessAborted } from '../clock/sleep';
import type { Log } from '../log/log';
import { faultRecord } from '../protocol/fault';
import { countedCrashes, restartDelayMs } from './restart-policy';

/** One run of a child. */
export interface Incarnation {
  readonly pid: number | undefined;
  /** Settles with how it ended, in words; never rejects. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  readonly log: Log;
  /** Starts the child and resolves when it runs. Throws when it cannot be started, or `signal` is aborted meanwhile. */
  readonly start: (signal: AbortSignal) => Promise<Incarnation>;
  /** Called after the child ended by itself, before it is started again. */
  readonly onEnded?: () => void;
}

export class Child {
  readonly #stopping = new AbortController();
  #ran: Promise<void> = Promise.resolve();
  #crashes = 0;
  #workingSince: number | undefined;
  #current: Incarnation | undefined;

  constructor(private readonly options: ChildOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /**
   * Starts the child; resolves when its first incarnation runs.
   * @throws what the first start throws; from then on failures are only logged and tried again.
   */
  async start(): Promise<void> {
    const first = this.options.start(this.#stopping.signal);
    this.#ran = first.then(
      (incarnation) => this.#keepRunning(incarnation),
      () => undefined,
    );
    await first;
  }

  /** Starts the child without waiting; failures are logged and tried again. */
  startWhenPossible(): void {
    this.#ran = this.#keepRunning(undefined);
  }

  /** The child did its work: crashes from before will be forgotten if that lasts. */
  worked(): void {
    this.#workingSince ??= Date.now();
  }

  /** Ends the child and keeps it ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ran;
  }

  async #keepRunning(first: Incarnation | undefined): Promise<void> {
    const { signal } = this.#stopping;
    if (first !== undefined) await this.#endOf(first, signal);
    for (let pause = first !== undefined; !signal.aborted; pause = true) {
      if (pause) await this.#pauseAfterEnd(signal);
      await this.#runOnce(signal);
    }
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await this.#endOf(await this.options.start(signal), signal);
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.options.log.error(`${this.name}: ${faultRecord(error, 'start').message}`);
    }
  }

  async #endOf(incarnation: Incarnation, signal: AbortSignal): Promise<void> {
    this.#current = incarnation;
    const how = await unlessAborted(incarnation.ended, signal);
    if (how === undefined) await incarnation.stop();
    else this.options.log.warn(`${this.name} (pid ${String(incarnation.pid)}) ended ${how}`);
    this.#current = undefined;
  }

  async #pauseAfterEnd(signal: AbortSignal): Promise<void> {
    this.options.onEnded?.();
    this.#crashes = countedCrashes(
      { crashes: this.#crashes + 1, workingSince: this.#workingSince },
      Date.now(),
    );
    this.#workingSince = undefined;
    const delayMs = restartDelayMs(this.#crashes, Math.random());
    this.options.log.info(`${this.name} is started again${delayMs === 0 ? '' : ` in ${String(delayMs)} ms`}`);
    await sleep(delayMs, signal);
  }
}
