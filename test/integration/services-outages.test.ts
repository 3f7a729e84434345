/** Services whose Redis is a group of servers, both kits side by side: a primary is lost, and the broker restarted. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openRedis } from '../../src/connections/redis';
import { consumeFrames, frameKey } from '../../src/consumer';
import { NotifierStage } from '../../lab/notifier-bench';
import { waitUntil } from '../../lab/process';
import { startPython } from '../../lab/python-consumer';
import { startCluster, startSentinel, type RedisGroup } from '../../lab/redis';
import { wantedBy } from '../../lab/wanted-actors';

const keyOf = (capturedAt: number) =>
  frameKey('v', { camera: 'c', capturedAt, width: 1, height: 1, format: 'jpeg' });
const times = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('services with a picture in common', () => {
  const stage = NotifierStage.inSuite();

  for (const [name, lost, start] of [
    ['the primary that Sentinels name', 'a primary and the broker', () => startSentinel()],
    ['a Cluster', 'a primary', () => startCluster({ replicas: 1 })],
  ] as const satisfies readonly (readonly [string, string, () => Promise<RedisGroup>])[])
    test(`each get every frame from ${name}, even after ${lost} was lost, and leave no key forever`, async (t) => {
      const group = await start();
      t.after(() => group.stop());
      const client = openRedis(group.url, { retryStrategy: () => 200, commandTimeout: 3000 });
      client.on('error', () => undefined);
      t.after(() => client.disconnect());
      const { services } = wantedBy({
        ...{ namespace: 'v', cameras: [{ id: 'c', test: 'testsrc2' }] },
        ...{ consumers: { plates: {}, people: { removal: 'getdel' } }, queue: { required: false } },
      }).topology;
      const bench = await stage.ready(stage.broker.url, { required: false }, 'v', undefined, services);
      const send = async (first: number, last: number) => {
        const sent = times(first, last);
        for (const at of sent)
          await waitUntil(`a primary takes frame ${at}`, () =>
            client.set(keyOf(at), 'picture', 'PX', 600_000).then(
              () => true,
              () => false,
            ),
          );
        await bench.confirmed(...(bench.announce(...sent), sent));
      };
      const stored = async (last: number) => {
        const lives = await Promise.all(
          times(1, last).flatMap((at) => [client.pttl(keyOf(at)), client.pttl(`{${keyOf(at)}}:done`)]),
        );
        return { keys: lives.filter((life) => life !== -2).length, everlasting: lives.includes(-1) };
      };
      const plates = new Set<number>();
      const consumer = await consumeFrames(
        { amqpUrl: stage.broker.url, redisUrl: group.url, queue: 'v.plates' },
        ({ event }) => void plates.add(event.data.capturedAt),
      );
      t.after(() => consumer.close());
      const python = await startPython(t, {
        endpoints: { amqp: stage.broker.url, redis: group.url },
        queue: 'v.people',
      });
      const people = () => new Set(python.of('done').map(({ key }) => key));
      const bothHave = (last: number) =>
        waitUntil(`both have ${last} frames`, () => plates.size === last && people().size === last);
      await send(1, 10);
      await bothHave(10);
      await waitUntil('no key is left', async () => (await stored(10)).keys === 0);
      await (await group.primary()).kill();
      await send(11, 20);
      await bothHave(20);
      if (lost.includes('broker')) {
        await stage.broker.restart();
        await stage.connect();
      }
      await send(21, 30);
      await bothHave(30);
      await waitUntil('no key is left forever', async () => !(await stored(30)).everlasting);
      for (const service of ['v.plates', 'v.people'])
        assert.equal((await stage.channel.checkQueue(`${service}.dead`)).messageCount, 0);
    });
});
