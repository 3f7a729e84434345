/** Durability `durable`: releases confirmed frames that are on Redis's disk, and stores again those that Redis may have lost. */
import { faultRecord } from '../../fault/fault';
import { RecurringFault } from '../../fault/recurring';
import type { Log } from '../../log/log';
import type { KnownServer } from './known-server';
import type { Persistence } from './persistence';
import type { RestoreSink, Retention } from './retention';

const RESTARTED = 'redis has restarted or was replaced: frames are stored again';
const UNKNOWN_REDIS = 'frames are stored again: it is not known whether redis still has them';

export interface DurabilityOptions {
  readonly redis: RestoreSink & { persistence(): Promise<Persistence> };
  readonly retention: Retention;
  readonly server: KnownServer;
  readonly log: Log;
}

export class Durability {
  readonly #faults: RecurringFault;

  constructor(private readonly options: DurabilityOptions) {
    this.#faults = new RecurringFault(options.log);
  }

  /** Must be called about once a second while Redis is ready. Never rejects. */
  async tick(): Promise<void> {
    const { redis, retention, server, log } = this.options;
    try {
      const isKnown = server.runId !== undefined;
      const persistence = await redis.persistence();
      const restored = await retention.restoreAfter(persistence, redis, Date.now());
      if (restored > 0) log.warn(isKnown ? RESTARTED : UNKNOWN_REDIS, { frames: restored });
      await retention.release(persistence.durableBeforeMs, Date.now());
      this.#faults.clear('redis reports its persistence again');
    } catch (error) {
      this.#faults.report(faultRecord(error, 'redis'));
    }
  }
}
