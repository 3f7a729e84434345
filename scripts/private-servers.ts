/** A private Redis and RabbitMQ for the duration of some work. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLog } from '../src/log/log';
import { prepareRabbitmq } from '../src/embedded/rabbitmq';
import { prepareRedis } from '../src/embedded/redis';
import { startService } from '../lab/start-service';

/** @param work receives the variables in which lab/servers.ts finds the servers' addresses */
export async function withPrivateServers<T>(work: (variables: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-test-'));
  const log = openLog('test-servers', 'warn');
  const folder = (name: string) => {
    mkdirSync(path.join(dir, name));
    return path.join(dir, name);
  };
  const redis = await prepareRedis(folder('redis'), {}, log);
  const rabbitmq = await prepareRabbitmq(folder('rabbitmq'), undefined, log);
  try {
    await Promise.all([startService(redis), startService(rabbitmq)]);
    return await work({ VIGIL_TEST_REDIS_URL: redis.url, VIGIL_TEST_AMQP_URL: rabbitmq.url });
  } finally {
    await Promise.all([redis.stop(5000), rabbitmq.stop(10_000)]);
    rmSync(dir, { recursive: true, force: true });
  }
}
