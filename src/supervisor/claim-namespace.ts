/** Checks before any camera starts that no other daemon holds the namespace: its frames would be announced later. */
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../clock/sleep';
import { ExitFault } from '../fault/fault';
import type { Holder } from '../connections/namespace-lease';
import { openRedis } from '../connections/redis';
import { NAMESPACE_IN_USE, namespaceInUse } from '../connections/namespace-fault';
import { NamespaceLease, RENEW_MS } from '../connections/namespace-lease';

/** A Redis not reached within this time counts as away: frames wait for it, and the store checks when it is back. */
const CONNECT_MS = 1000;
const ANSWER_MS = 2000;
const LOOK_MS = 200;
/** Long enough to notice a daemon that renews its lease late on a busy machine. */
const PATIENCE_MS = 3 * RENEW_MS;

export interface NamespaceClaim {
  readonly url: string;
  readonly namespace: string;
  readonly holder: Holder;
  /** Take the namespace even if another daemon holds it. */
  readonly force: boolean;
}

/** @throws Fault `namespace-in-use` with the name of the daemon that holds it */
export async function claimNamespace({ url, namespace, holder, force }: NamespaceClaim): Promise<void> {
  const client = openRedis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
  });
  client.on('error', () => undefined);
  const lease = new NamespaceLease(client, namespace, holder);
  const ask = async () => withDeadline(force ? lease.takeOver() : lease.claim(), ANSWER_MS);
  try {
    await withDeadline(client.connect(), CONNECT_MS);
    if (client.status !== 'ready') return;
    const endMs = performance.now() + PATIENCE_MS;
    let claim = await ask();
    while (claim?.kind === 'unsure' && performance.now() < endMs) {
      await delay(LOOK_MS);
      claim = await ask();
    }
    if (claim?.kind === 'taken') {
      throw new ExitFault(NAMESPACE_IN_USE, namespaceInUse(url, namespace, claim.other).message);
    }
  } catch (error) {
    if (error instanceof ExitFault) throw error;
    // The store reports a fault of Redis for as long as it lasts.
  } finally {
    client.disconnect();
  }
}
