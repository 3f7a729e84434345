/** The store on Redis servers that replace each other: no frame is lost, no announced frame is missing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { openRedis } from '../../src/connections/redis';
import { waitUntil } from '../../lab/process';
import { startCluster, startSentinel } from '../../lab/redis';
import { openStore, spoolWhile, times } from '../../lab/store-bench';

describe('the store', () => {
  test('follows a Cluster through the loss and return of a node', async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const bench = await openStore(t, cluster.url, { durability: 'durable' });
    await bench.spool(...times(1, 30));
    await bench.arrived(times(1, 30));
    const sizes = await Promise.all(cluster.servers.map((server) => server.command('DBSIZE')));
    assert.ok(
      sizes.every((size) => Number(size) > 0),
      `frames on each node: ${String(sizes)}`,
    );
    const spooled = await spoolWhile(bench, 100, async () => {
      await cluster.servers[1]?.kill();
      await waitUntil('it says so', () => bench.faultCodes().length > 0, 15_000);
      await cluster.servers[1]?.start();
    });
    await bench.arrived(spooled);
  });

  test('does not count writes to a node of a Cluster that wakes and does not know yet that it was replaced', async (t) => {
    const cluster = await startCluster({ replicas: 1 });
    t.after(() => cluster.stop());
    const bench = await openStore(t, cluster.url);
    await bench.spool(...times(1, 30));
    await bench.arrived(times(1, 30));
    const frozen = await cluster.primary();
    const other = cluster.servers.find((server) => server !== frozen);
    const nodes = async () => String(await other?.command('CLUSTER', 'NODES'));
    const isReplaced = async () => !new RegExp(`:${frozen.port}@.* \\d+-\\d+$`, 'm').test(await nodes());
    // Before the first frame: one that it confirmed but had not replicated yet would be lost with it.
    frozen.signal('SIGSTOP');
    const spooled = await spoolWhile(bench, 100, async () => {
      await waitUntil('another has its slots', isReplaced);
      frozen.signal('SIGCONT');
      await cluster.whole();
    });
    await bench.arrived(spooled);
  });

  test('follows a Sentinel to the new primary when the old one is killed', async (t) => {
    const sentinel = await startSentinel();
    t.after(() => sentinel.stop());
    const bench = await openStore(t, sentinel.url, { durability: 'durable' });
    await bench.spool(...times(1, 10));
    await bench.arrived(times(1, 10));
    const [primary, replica] = sentinel.servers;
    assert.ok(primary !== undefined && replica !== undefined);
    const spooled = await spoolWhile(bench, 100, async () => {
      primary.process.signal('SIGKILL');
      // Becoming a primary ends the connections of clients.
      const role = () => replica.command('ROLE').catch(() => []);
      const promoted = async () => JSON.stringify(await role()).startsWith('["master"');
      await waitUntil('the replica is promoted', promoted, 20_000);
    });
    await waitUntil('frames that the replica lacked are stored again', async () =>
      bench.arrived(times(1, 10)).then(
        () => true,
        () => false,
      ),
    );
    await bench.arrived(spooled);
  });

  test('leaves a primary that Sentinels replaced while it was frozen, since its later writes would be lost', async (t) => {
    const sentinel = await startSentinel();
    t.after(() => sentinel.stop());
    const bench = await openStore(t, sentinel.url);
    await bench.spool(...times(1, 10));
    await bench.arrived(times(1, 10));
    const [primary, replica] = sentinel.servers;
    assert.ok(primary !== undefined && replica !== undefined);
    const named = async () =>
      JSON.stringify(
        await sentinel.servers.at(-1)?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster'),
      );
    const role = async () => JSON.stringify(await primary.command('ROLE').catch(() => []));
    // Before the first frame, as above.
    primary.signal('SIGSTOP');
    const spooled = await spoolWhile(bench, 100, async () => {
      await waitUntil('the replica is named', async () => (await named()).includes(String(replica.port)));
      primary.signal('SIGCONT');
      await waitUntil('it follows the new one', async () => (await role()).startsWith('["slave"'));
    });
    await bench.arrived(spooled);
  });
});

test('a client asks its Sentinels in turn, and neither calls one that answers unreachable nor waits for one that is frozen', async (t) => {
  const sentinel = await startSentinel({ sentinels: 2, silentMs: 60_000 });
  t.after(() => sentinel.stop());
  const errors: string[] = [];
  const client = openRedis(sentinel.url, { retryStrategy: () => 10 });
  t.after(() => client.disconnect());
  client.on('error', (error: Error) => errors.push(error.message));
  for (let round = 0; round < 8; round++) {
    if (round === 4) sentinel.servers.at(-1)?.signal('SIGSTOP');
    await waitUntil('it is ready', () => client.status === 'ready', 10_000);
    // It may be ready again before it is checked.
    const closed = once(client, 'close');
    client.disconnect(true);
    await closed;
  }
  assert.deepEqual(errors, []);
});
