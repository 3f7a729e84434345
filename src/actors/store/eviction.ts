/** Logs faults of Redis's memory, and reports how many keys it has evicted. */
import type { Log } from '../../log/log';
import { RecurringFault } from '../../fault/recurring';
import { faultRecord } from '../../fault/fault';
import { MemoryWatch, type ServerMemory } from './memory-watch';

/** Least time between two reports of evictions to the ledger: a server may evict for hours. */
const TELL_MS = 60_000;
const LOOK_MS = 5000;

export interface EvictionOptions {
  readonly url: string;
  readonly log: Log;
  readonly memory: () => Promise<readonly ServerMemory[]>;
  readonly onEvicted: (keys: number) => void;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
}

export class Eviction {
  readonly #watch: MemoryWatch;
  readonly #evictions: RecurringFault;
  readonly #unknown: RecurringFault;
  /** Codes of logged faults that persist. */
  #said = new Set<string>();
  #lookedMs = -Infinity;
  #toldMs = -Infinity;
  #untold = 0;
  #total = 0;

  constructor(private readonly options: EvictionOptions) {
    this.#watch = new MemoryWatch(options.url);
    this.#evictions = new RecurringFault(options.log);
    this.#unknown = new RecurringFault(options.log);
  }

  /** Keys evicted since the first check. */
  get total(): number {
    return this.#total;
  }

  /** Checks the servers if it is time; never rejects. */
  async tick(): Promise<void> {
    const nowMs = this.options.now();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    try {
      this.#take(await this.options.memory());
      this.#unknown.clear('redis reports its memory use again');
    } catch (error) {
      this.#unknown.report(faultRecord(error, 'redis'));
    }
    if (nowMs - this.#toldMs >= TELL_MS) this.flush();
  }

  /** Reports what has not been reported. */
  flush(): void {
    if (this.#untold === 0) return;
    this.options.onEvicted(this.#untold);
    this.#untold = 0;
    this.#toldMs = this.options.now();
  }

  #take(servers: readonly ServerMemory[]): void {
    const { evicted, faults } = this.#watch.look(servers);
    this.#untold += evicted;
    this.#total += evicted;
    for (const fault of faults)
      if (fault.code === 'redis-evicted') this.#evictions.report(fault);
      else if (!this.#said.has(fault.code)) this.options.log.warn(fault.message, { code: fault.code });
    if (evicted === 0) this.#evictions.clear('redis no longer evicts keys');
    this.#said = new Set(faults.map(({ code }) => code));
  }
}
