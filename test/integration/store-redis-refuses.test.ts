/** The store on a Redis that refuses commands: no frame is lost, no announced frame is missing. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { waitUntil } from '../../lab/process';
import { startRedis } from '../../lab/redis';
import { onlyServer, openStore, times } from '../../lab/store-bench';

describe('the store', () => {
  test('delivers on a Redis that is out of memory, once it has space', async (t) => {
    const server = await onlyServer(t, ['save ""', 'maxmemory-policy noeviction']);
    const bench = await openStore(t, server.url);
    await bench.spool(...times(1, 5));
    await bench.arrived(times(1, 5));
    await server.command('CONFIG', 'SET', 'maxmemory', 1);
    await bench.spool(...times(6, 20));
    await waitUntil('it says so', () => bench.faultCodes().includes('redis-full'));
    assert.equal(bench.delivered.size, 5);
    await server.command('CONFIG', 'SET', 'maxmemory', 0);
    await bench.arrived(times(1, 25));
  });

  test('does not write into another database if Redis lacks that of the URL, however often it connects', async (t) => {
    const server = await onlyServer(t, ['save ""', 'databases 4']);
    const bench = await openStore(t, new URL('/9', server.url).href);
    await bench.spool(...times(1, 5));
    await waitUntil('it says so', () => bench.faultCodes().includes('redis-database'));
    let asked = 0;
    /** The number of connections so far, without those of this test. */
    const connections = async () => {
      asked++;
      const stats = String(await server.command('INFO', 'stats'));
      return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]) - asked;
    };
    const before = await connections();
    await waitUntil('it has connected again', async () => (await connections()) > before + 3);
    assert.equal(await server.command('DBSIZE'), 0);
    assert.equal(bench.delivered.size, 0);
    assert.doesNotMatch(bench.lines.join('\n'), /ready|writeable/);
    assert.match(bench.lines.join('\n'), /has no database of the number in its URL/);
  });

  test('uses its own database on every connection', async (t) => {
    const server = await onlyServer(t, ['save ""', 'databases 4']);
    const bench = await openStore(t, new URL('/3', server.url).href);
    await bench.spool(...times(1, 5));
    await bench.arrived(times(1, 5));
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await bench.spool(...times(6, 5));
    await bench.arrived(times(6, 5));
    assert.equal(await server.command('DBSIZE'), 0);
  });

  test('delivers on a Redis that became a replica, once it is a primary again', async (t) => {
    const redis = await startRedis(['save ""'], ['save ""']);
    t.after(() => redis.stop());
    const [server, other] = redis.servers;
    assert.ok(server !== undefined && other !== undefined);
    const bench = await openStore(t, server.url);
    await bench.spool(...times(1, 3));
    await bench.arrived(times(1, 3));
    await server.command('REPLICAOF', '127.0.0.1', other.port);
    await bench.spool(...times(4, 10));
    await waitUntil('it says so', () => bench.faultCodes().includes('redis-read-only'));
    await server.command('REPLICAOF', 'NO', 'ONE');
    await bench.arrived(times(4, 10));
  });

  const denied: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    [
      'the command SET',
      ['-set'],
      'redis-denied',
      /denies this user the command SET; its password is right, its ACL lacks \+set/,
    ],
    [
      'the keys of frames',
      ['resetkeys', '~v:latest:*'],
      'redis-denied',
      /denies this user SET of the key v:frame:\S+; its password is right/,
    ],
    ['the user, who is switched off', ['off'], 'redis-refused', /or that user is switched off/],
    ['the password', ['resetpass', '>another'], 'redis-refused', /refused the user name or password/],
  ];
  for (const [what, rules, code, says] of denied)
    test(`delivers on a Redis whose ACL refuses ${what}, once it no longer does`, async (t) => {
      const server = await onlyServer(t, ['save ""']);
      await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~*', '&*', '+@all');
      await server.command('ACL', 'SETUSER', 'u', ...rules);
      const bench = await openStore(t, server.url.replace('//', '//u:hush@'));
      await bench.spool(...times(1, 5));
      await waitUntil('it says so', () => bench.lines.some((line) => says.test(line)));
      assert.deepEqual([...new Set(bench.faultCodes())], [code], bench.lines.join('\n'));
      await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~*', '&*', '+@all');
      // Redis keeps its user settings; frames were not lost.
      await waitUntil('all are delivered', () => times(1, 5).every((time) => bench.delivered.has(time)));
      assert.doesNotMatch(bench.lines.join('\n'), /hush|cannot be reached/);
    });

  test('continues with frames, and says so, if the ACL of Redis allows frames but not the latest keys', async (t) => {
    const server = await onlyServer(t, ['save ""']);
    await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~v:frame:*', '+set', '+info');
    const bench = await openStore(t, server.url.replace('//', '//u:hush@'));
    await bench.spool(...times(1, 5));
    await waitUntil('all are delivered', () => times(1, 5).every((time) => bench.delivered.has(time)));
    assert.match(
      bench.lines.join('\n'),
      /SET of the key v:latest:\S+; .*frames are delivered without the camera's latest key/,
    );
  });

  test('reports a port where another service answers, and a Redis in protected mode', async (t) => {
    for (const [answer, code] of [
      ['-ERR max number of clients reached\r\n', 'redis-clients'],
      ['HTTP/1.1 400 Bad Request\r\n\r\n', 'redis-protocol'],
      [
        '-DENIED Redis is running in protected mode because protected mode is enabled.\r\n',
        'redis-protected',
      ],
    ] as const) {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const { port } = server.address() as { port: number };
      const bench = await openStore(t, `redis://127.0.0.1:${port}`);
      await bench.spool(1);
      await waitUntil('it says so', () => bench.faultCodes().includes(code)).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}: ${bench.lines.join('\n')}`);
      });
      assert.deepEqual([...new Set(bench.faultCodes())], [code], bench.lines.join('\n'));
    }
  });
});
