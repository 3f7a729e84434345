/** Watches the memory of Redis: when it is full, Redis may evict frames that were announced. Pure. */
import { redactUrl } from '../../url/url';
import type { FaultRecord } from '../../fault/fault';

/** Memory of one server, as its INFO reports it (redis.io/docs/latest/commands/info). */
export interface ServerMemory {
  readonly runId: string;
  readonly uptimeS: number;
  /** `noeviction`, or which keys are evicted first. */
  readonly policy: string;
  /** Bytes; 0 if there is no bound. */
  readonly maxBytes: number;
  readonly usedBytes: number;
  /** Bytes of its machine; NaN when it does not say. */
  readonly machineBytes: number;
  /** Keys it has evicted since its start. */
  readonly evicted: number;
}

export interface Look {
  /** Keys evicted since the last look. */
  readonly evicted: number;
  /** What may cost frames now; the same objects for as long as it lasts. */
  readonly faults: readonly FaultRecord[];
}

/** Above the first share of its bound a server is nearly full; below the second it no longer is. */
const FULL_SHARE = 0.85;
const EMPTY_SHARE = 0.75;
/** Share of its machine's memory that a server without a bound may use. */
const UNBOUNDED_SHARE = 0.5;
/** A server seen for the first time that is younger than this has evicted nothing before. */
const YOUNG_S = 60;
const MIB = 1024 * 1024;

/** @param info the reply to `INFO`, or to its sections `server`, `memory` and `stats` */
export function readMemory(info: string): ServerMemory {
  const text = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name)));
  return {
    runId: text('run_id'),
    uptimeS: number('uptime_in_seconds'),
    policy: text('maxmemory_policy'),
    maxBytes: number('maxmemory') || 0,
    usedBytes: number('used_memory') || 0,
    machineBytes: number('total_system_memory'),
    evicted: number('evicted_keys') || 0,
  };
}

export class MemoryWatch {
  /** Keys evicted by each server, as of the last look. */
  #evicted = new Map<string, number>();
  #isFull = false;
  #hasLooked = false;

  constructor(private readonly url: string) {}

  look(servers: readonly ServerMemory[]): Look {
    const evicted = servers.reduce((sum, server) => sum + this.#newlyEvicted(server), 0);
    this.#hasLooked = true;
    this.#evicted = new Map(servers.map((server) => [server.runId, server.evicted]));
    return { evicted, faults: this.#faults(servers, evicted) };
  }

  #newlyEvicted({ runId, evicted, uptimeS }: ServerMemory): number {
    const before = this.#evicted.get(runId) ?? (this.#hasLooked && uptimeS < YOUNG_S ? 0 : evicted);
    return Math.max(0, evicted - before);
  }

  #faults(servers: readonly ServerMemory[], evicted: number): FaultRecord[] {
    const faults: FaultRecord[] = [];
    const name = `redis at ${redactUrl(this.url)}`;
    const evicting = servers.find(({ policy, maxBytes }) => maxBytes > 0 && !isSafe(policy));
    if (evicted > 0)
      faults.push({
        code: 'redis-evicted',
        message: `${name} evicted ${evicted} keys because its memory is full: announced frames among them are lost to consumers; raise its maxmemory or lower frames.expireMs, and set maxmemory-policy noeviction`,
      });
    if (evicting !== undefined)
      faults.push({
        code: 'redis-evicts',
        message: `${name} evicts keys when its memory is full (maxmemory-policy ${evicting.policy}), announced frames too; set maxmemory-policy noeviction: frames then wait in the spool`,
      });
    const full = this.#fullest(servers);
    if (full !== undefined) faults.push({ code: 'redis-filling', message: `${name} ${full}` });
    return faults;
  }

  /** The message about the server with the least room; undefined if there is enough. */
  #fullest(servers: readonly ServerMemory[]): string | undefined {
    const shares = servers.map((server) => ({ server, share: shareOf(server) }));
    const [fullest] = shares.sort((a, b) => b.share - a.share);
    if (fullest === undefined || fullest.share < (this.#isFull ? EMPTY_SHARE : FULL_SHARE)) {
      this.#isFull = false;
      return undefined;
    }
    this.#isFull = true;
    const { usedBytes, maxBytes, machineBytes } = fullest.server;
    const used = `${(usedBytes / MIB).toFixed(0)} MiB`;
    return maxBytes > 0
      ? `uses ${used} of its maxmemory of ${(maxBytes / MIB).toFixed(0)} MiB; frames that no consumer takes stay for frames.expireMs: start consumers, lower it, or raise maxmemory`
      : `has no maxmemory and uses ${used} of the ${(machineBytes / MIB).toFixed(0)} MiB of its machine; set maxmemory, with maxmemory-policy noeviction`;
  }
}

/** Relative to the bound it should have: 1 is at that bound. */
function shareOf({ usedBytes, maxBytes, machineBytes }: ServerMemory): number {
  if (maxBytes > 0) return usedBytes / maxBytes;
  return machineBytes > 0 ? (usedBytes / (machineBytes * UNBOUNDED_SHARE)) * FULL_SHARE : 0;
}

/** A server that hides its policy counts as safe: evictions would still be seen. */
function isSafe(policy: string): boolean {
  return policy === 'noeviction' || policy === '';
}
