/** Reads the ledgers of all nodes of a fleet from Redis, for `ledger --fleet`. */
import path from 'node:path';
import { ENDPOINTS_FILE, redisOf } from '../config/endpoints-file';
import type { Topology } from '../config/topology';
import { withDeadline } from '../clock/sleep';
import { COPIES_KEPT_MS, LedgerCopies } from '../ledger/copies';
import { openRedis, type RedisClient } from '../connections/redis';
import { redisFault } from '../connections/redis-fault';
import { ExitFault } from '../fault/fault';
import { LedgerRecord } from '../ledger/record';
import { unionOf } from '../ledger/union';
import type { Recorded } from '../ledger/summary';

const ANSWER_MS = 5000;

export interface NodeRecords {
  readonly node: string;
  /** When its last record was written, milliseconds since the epoch. */
  readonly lastAt: number | undefined;
}

export interface FleetLedger {
  readonly recorded: Recorded;
  readonly nodes: readonly NodeRecords[];
}

/**
 * Reads what the nodes have copied to Redis, every five seconds.
 * @throws ExitFault `usage` without a fleet or for times of which no copies are kept, `no-ledger` if Redis
 * does not answer, `no-endpoints` if an embedded one does not run
 */
export async function readFleetLedger(
  { fleet, redis, namespace }: Topology,
  dataDir: string,
  sinceMs: number,
  nowMs: number,
): Promise<FleetLedger> {
  if (fleet === undefined)
    throw new ExitFault(
      'usage',
      'the configuration has no "fleet"; leave out --fleet, or name another --config',
    );
  if (nowMs - sinceMs > COPIES_KEPT_MS)
    throw new ExitFault(
      'usage',
      `Redis keeps a fleet's ledger for ${COPIES_KEPT_MS / 3_600_000} hours; give a shorter --since, or leave out --fleet on each node`,
    );
  const url = redis.kind === 'remote' ? redis.url : redisOf(path.join(dataDir, ENDPOINTS_FILE));
  const client = openRedis(url, {
    ...{ lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...{ connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS },
  });
  let cause: Error | undefined;
  client.on('error', (error: Error) => (cause ??= error));
  try {
    await withDeadline(client.connect(), ANSWER_MS);
    return await readAll(client, namespace, sinceMs);
  } catch (error) {
    const { message } = redisFault(url, cause ?? (error as Error));
    throw new ExitFault('no-ledger', `the fleet's ledger is in Redis, and ${message}`, { cause: error });
  } finally {
    client.disconnect();
  }
}

async function readAll(client: RedisClient, namespace: string, sinceMs: number): Promise<FleetLedger> {
  const copies = new LedgerCopies(client, namespace);
  const ledgers = [];
  for (const node of await copies.nodes()) {
    const record = new LedgerRecord();
    for (const text of await copies.read(node, sinceMs)) record.read(text);
    ledgers.push({ node, record });
  }
  return {
    recorded: unionOf(ledgers.map(({ record }) => record)),
    nodes: ledgers.map(({ node, record: { lastAt } }) => ({ node, lastAt })),
  };
}
