/** Both kits with servers of several hosts: the hosts of a broker, the primary named by Sentinels, a Cluster. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRedis } from '../../src/connections/redis';
import { servers, Stage } from '../../lab/consumer-stage';
import { freePort } from '../../lab/free-port';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';
import { startCluster, startSentinel, type RedisGroup } from '../../lab/redis';
import { KITS, startConsumer } from '../../lab/spawn-consumer';

const BEFORE = 5;

describe('a consumer of either kit', { concurrency: true }, () => {
  for (const kit of KITS)
    it(`${kit}: tries the hosts of a broker in turn`, async (t) => {
      const stage = await Stage.open(t);
      const { host } = new URL(servers.amqpUrl);
      const amqpUrl = servers.amqpUrl.replace(host, `127.0.0.1:${await freePort()},${host}`);
      await stage.send();
      const consumer = await startConsumer(t, kit, { queue: stage.queue }, { ...servers, amqpUrl });
      await consumer.until('processed', 1);
      assert.deepEqual(consumer.of('fault'), []);
    });

  for (const [name, start] of [
    ['the primary that Sentinels name', () => startSentinel()],
    ['a Cluster', () => startCluster({ replicas: 1 })],
  ] as const satisfies readonly (readonly [string, () => Promise<RedisGroup>])[])
    it(`${KITS.join(', ')}: finds frames in ${name}, even after a primary was replaced`, async (t) => {
      const group = await start();
      t.after(() => group.stop());
      const client = openRedis(group.url, { retryStrategy: () => 200, commandTimeout: 3000 });
      client.on('error', () => undefined);
      t.after(() => client.disconnect());
      const consumers = await Promise.all(
        KITS.map(async (kit) => {
          const stage = await Stage.open(t);
          const urls = { ...servers, redisUrl: group.url };
          return { stage, consumer: await startConsumer(t, kit, { queue: stage.queue }, urls) };
        }),
      );
      const bytes = await picture('jpeg');
      const send = async () => {
        for (const { stage } of consumers) {
          const frame = stage.frame(bytes);
          await until('a primary takes the frame', () =>
            client.set(stage.key(frame), bytes).then(
              () => true,
              () => false,
            ),
          );
          stage.announce(frame);
        }
      };
      const processed = (count: number) =>
        Promise.all(consumers.map(({ consumer }) => consumer.until('processed', count)));
      for (let i = 0; i < BEFORE; i += 1) await send();
      await processed(BEFORE);
      await (await group.primary()).kill();
      for (let i = 0; i < BEFORE; i += 1) await send();
      await processed(2 * BEFORE);
      for (const { consumer } of consumers) assert.equal(consumer.settled('failed'), 0);
    });
});
