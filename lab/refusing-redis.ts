/** A Redis that refuses writes, as one does whose snapshots fail; until it is configured to accept them nevertheless. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { temporaryFolder } from './consumer-stage';
import { freePort } from './free-port';
import { PrivateRedis } from './private-redis';
import { waitUntil } from './process';

export interface RefusingRedis {
  readonly url: string;
  readonly client: Redis;
  /** Has its snapshots fail, and resolves when it refuses writes for it. */
  refuse(): Promise<void>;
  /** It takes writes again. */
  relent(): Promise<void>;
}

/** Takes writes at first. */
export async function startRefusingRedis(t: TestContext): Promise<RefusingRedis> {
  const folder = await temporaryFolder(t);
  const store = new PrivateRedis(await freePort(), folder);
  await store.start();
  t.after(() => store.stop('SIGKILL'));
  const client = new Redis(store.url);
  t.after(() => client.disconnect());
  const refuses = async () => {
    await client.bgsave().catch(() => undefined);
    return client.set('probe', '1').then(
      () => false,
      (error: unknown) => String(error).includes('MISCONF'),
    );
  };
  return {
    ...{ url: store.url, client },
    refuse: async () => {
      // A snapshot cannot take the place of a folder.
      await mkdir(path.join(folder, 'dump.rdb', 'full'), { recursive: true });
      await waitUntil('Redis refuses writes', refuses);
    },
    relent: async () => {
      await client.config('SET', 'stop-writes-on-bgsave-error', 'no');
    },
  };
}
