/** Looks whether another daemon has the namespace, before this one begins: what it captured until the store finds out would be announced later. */
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../clock/sleep';
import { ExitFault } from '../fault/fault';
import type { Holder } from '../connections/namespace-lease';
import { openRedis } from '../connections/redis';
import { NAMESPACE_IN_USE, namespaceInUse } from '../connections/namespace-fault';
import { NamespaceLease, RENEW_MS } from '../connections/namespace-lease';

/** A Redis that cannot be reached by then is away: frames wait for it, and the store asks when it is back. */
const CONNECT_MS = 1000;
const ANSWER_MS = 2000;
const LOOK_MS = 200;
/** One that renews its lease late, on a busy machine, is noticed too. */
const PATIENCE_MS = 3 * RENEW_MS;

export interface NamespaceClaim {
  readonly url: string;
  readonly namespace: string;
  readonly holder: Holder;
  /** Takes it, whoever has it. */
  readonly force: boolean;
}

/** @throws Fault `namespace-in-use` with the name of the daemon that has it */
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
    // The store says what is wrong with Redis, for as long as it is.
  } finally {
    client.disconnect();
  }
}
