/** Notices work that blocks this process for so long that servers consider it dead, or it considers them silent. */
import { performance } from 'node:perf_hooks';

const TICK_MS = 500;
/** Below the shortest deadline in use, RabbitMQ's heartbeat of 4 s. */
const LONG_MS = 3000;
/** A connection lost later than this has another reason. */
const RECENT_MS = 2000;

export class Standstill {
  #tickMs = performance.now();
  #last = { ms: 0, endedMs: -Infinity };
  readonly #timer = setInterval(() => this.#look(), TICK_MS).unref();

  /** Adds the standstill to a sentence about a lost connection, if it may be the reason. */
  explain(message: string): string {
    this.#look();
    const { ms, endedMs } = this.#last;
    if (performance.now() - endedMs > RECENT_MS) return message;
    return `${message}; this process was held up for ${ms.toFixed(0)} ms and answered no server: move long work to a worker thread`;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const ms = nowMs - this.#tickMs;
    if (ms >= LONG_MS) this.#last = { ms, endedMs: nowMs };
    this.#tickMs = nowMs;
  }
}
