/** Erlang's port mapper (epmd): the broker does not start without it, and `erl_call` finds the broker by it. */
import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../clock/back-off';
import type { Log } from '../log/log';
import type { ServerProcess } from './server-process';

/** Pause before a restart: a port mapper that cannot run must not keep a core busy. */
const AGAIN = { firstMs: 500, capMs: 30_000 };
/** A port mapper that ran for this long is able to run. */
const STEADY_MS = 10_000;

export class PortMapper {
  #process: ServerProcess | undefined;
  #isWanted = false;
  /** Ends in a row, each soon after its start. */
  #ends = 0;

  constructor(
    private readonly start: () => ServerProcess,
    private readonly log: Log,
  ) {}

  /** Starts it if it does not run, and whenever it ends: a running broker registers with the new one. */
  run(): void {
    this.#isWanted = true;
    this.#run();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#isWanted = false;
    await this.#process?.stop(deadlineMs);
  }

  #run(): void {
    if (!this.#isWanted || this.#process?.isRunning() === true) return;
    const [started, startedAt] = [this.start(), performance.now()];
    this.#process = started;
    void started.exited.then(() => this.#runAgain(started, performance.now() - startedAt));
  }

  async #runAgain(ended: ServerProcess, ranMs: number): Promise<void> {
    if (!this.#isWanted) return;
    this.#ends = ranMs < STEADY_MS ? this.#ends + 1 : 1;
    const pauseMs = backOffMs(AGAIN, this.#ends, Math.random());
    const output = ended.lastOutput();
    this.log.warn(
      `epmd ended ${ended.ending()}; its last output: ${output}; started again in ${pauseMs} ms`,
      {
        code: 'crashed',
      },
    );
    await delay(pauseMs, undefined, { ref: false });
    this.#run();
  }
}
