/** The store on a Redis that is away, or returns without its data: no frame is lost, no announced frame is missing. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { frameKey } from '../../src/contract/key';
import { waitUntil } from '../../lab/process';
import { frameOf, onlyServer, openStore, spoolWhile, times } from '../../lab/store-bench';

describe('the store', () => {
  test('delivers on a Redis that is loading its data, once it has loaded', async (t) => {
    const server = await onlyServer(t, [
      'save 3600 1',
      'key-load-delay 1000',
      'loading-process-events-interval-bytes 1024',
    ]);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    for (let i = 0; i < 4000; i += 500)
      await server.command('MSET', ...times(i, 500).flatMap((key) => [`k${key}`, 'x'.repeat(100)]));
    await server.command('SAVE');
    const restarted = server.restart();
    const spooled = await spoolWhile(bench, 2, () =>
      waitUntil('it says so', () => bench.faultCodes().includes('redis-loading'), 15_000),
    );
    await restarted;
    await bench.arrived(spooled);
  });

  test('delivers on a Redis that cannot save and refuses writes, once it accepts them again', async (t) => {
    const server = await onlyServer(t, ['save 3600 1', 'stop-writes-on-bgsave-error yes']);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    const [, dir = ''] = (await server.command('CONFIG', 'GET', 'dir')) as string[];
    await rm(dir, { recursive: true });
    let newest = 1;
    await waitUntil('it says so', async () => {
      // Redis refuses it while another save, begun in time, is running. Frames are stored until that fails.
      await server.command('BGSAVE').catch(() => undefined);
      await bench.spool(++newest);
      return bench.faultCodes().includes('redis-disk');
    });
    await server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    await bench.arrived(times(1, newest));
  });

  test('delivers on a Redis that is frozen for longer than a command may take', async (t) => {
    const server = await onlyServer(t, ['save ""']);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    server.process.signal('SIGSTOP');
    const spooled = await spoolWhile(bench, 2, () =>
      waitUntil('it says so', () => bench.faultCodes().includes('redis-timeout'), 15_000),
    );
    server.process.signal('SIGCONT');
    await bench.arrived(spooled);
  });

  test('delivers on a Redis that is killed and restarted without its data', async (t) => {
    const server = await onlyServer(t, ['save ""']);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    const spooled = await spoolWhile(bench, 2, async () => {
      await waitUntil('some are delivered', () => bench.delivered.size > 5);
      await server.restart();
    });
    await waitUntil('all are delivered', () => spooled.every((time) => bench.delivered.has(time)));
  });

  test('stores announced durable frames again if Redis has lost them', async (t) => {
    const server = await onlyServer(t, ['save 3600 100000']);
    const bench = await openStore(t, server.url, { durability: 'durable' });
    await bench.spool(...times(1, 20));
    await bench.arrived(times(1, 20));
    assert.equal((await bench.confirmed()).length, 20);
    await server.restart();
    assert.equal(await server.command('DBSIZE'), 0, 'it came back without them');
    await waitUntil(
      'they are there again',
      async () =>
        Number(
          await server.command('EXISTS', ...times(1, 20).map((time) => frameKey('v', frameOf(time)))),
        ) === 20,
    );
    assert.ok(bench.lines.some((line) => /frames are stored again/.test(line)));
    await bench.restart();
    await bench.spool(21);
    await bench.arrived([21]);
    const ttl = Number(await server.command('PTTL', frameKey('v', frameOf(1))));
    assert.ok(ttl > 0 && ttl < 60_000, String(ttl));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await server.command('BGSAVE');
    await waitUntil(
      'they leave the spool when a snapshot has them',
      async () => (await bench.confirmed()).length === 0,
    );
    await server.restart();
    assert.equal(Number(await server.command('EXISTS', frameKey('v', frameOf(1)))), 1);
    const anew = bench.lines.filter((line) => /stored again/.test(line));
    assert.equal(anew.length, 1, 'a restart of the store alone is no new redis');
  });

  test('releases durable frames within seconds if Redis has an append-only file', async (t) => {
    const server = await onlyServer(t, ['save ""', 'appendonly yes', 'appendfsync everysec']);
    const bench = await openStore(t, server.url, { durability: 'durable' });
    await bench.spool(...times(1, 10));
    await bench.arrived(times(1, 10));
    assert.equal((await bench.confirmed()).length, 10);
    await waitUntil('they leave the spool', async () => (await bench.confirmed()).length === 0, 8000);
    await server.restart();
    await bench.arrived(times(1, 10));
  });
});
