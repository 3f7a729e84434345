/** Copies the end of this node's ledger to Redis when the daemon stops: the store, which copied it before, has already stopped. */
import path from 'node:path';
import { withDeadline } from '../clock/sleep';
import type { Topology } from '../config/topology';
import { openRedis } from '../connections/redis';
import { LedgerCopies } from '../ledger/copies';
import { ledgerFileName } from '../ledger/file-names';
import { listLedgerFiles } from '../ledger/files';
import { nodeName } from './identity';

/** A Redis that does not accept it within this time counts as away: the copy is made when the node runs again. */
const COPY_MS = 2000;

/** Never rejects. @param dir folder of the ledger */
export async function copyEndOfLedger(
  { fleet, namespace }: Topology,
  redisUrl: string,
  dir: string,
): Promise<void> {
  const newest = (await listLedgerFiles(dir)).at(-1);
  if (fleet === undefined || newest === undefined) return;
  const client = openRedis(redisUrl, {
    ...{ lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...{ connectTimeout: COPY_MS, commandTimeout: COPY_MS },
  });
  client.on('error', () => undefined);
  const copy = async () => {
    await client.connect();
    const copies = new LedgerCopies(client, namespace);
    await copies.copyFile(nodeName(fleet), path.join(dir, ledgerFileName(newest)));
  };
  await withDeadline(copy(), COPY_MS).catch(() => undefined);
  client.disconnect();
}
