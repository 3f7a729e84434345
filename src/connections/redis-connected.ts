/** Waits for a Redis client to be ready. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './redis';

/**
 * Connects a lazy client. The promise of ioredis stays pending if a Cluster ends after its slots are known
 * but before it is ready (a failover), or if a server accepts the connection but does not answer. So this one
 * also rejects when the client ends, after `deadlineMs`, and when `signal` is aborted; a client that is not
 * ready then is disconnected.
 * @throws what ioredis threw, or an error with a text for redisFault
 */
export async function connectRedis(
  client: RedisClient,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  let ended: (() => void) | undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`socket timeout: not ready within ${deadlineMs} ms`)),
      deadlineMs,
    );
    giveUp = () => reject(new Error('given up before it was ready'));
    ended = () =>
      reject(
        new Error(client instanceof Cluster ? 'None of startup nodes is available' : 'Connection is closed.'),
      );
    client.once('end', ended);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
  try {
    await Promise.race([client.connect(), failed]);
  } catch (error) {
    client.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
    if (ended !== undefined) client.removeListener('end', ended);
    if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
  }
}
