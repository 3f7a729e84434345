/** The store on a Redis that is broken in every way it can be: nothing is lost, nothing announced is missing. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import startStore from '../../src/actors/store/actor';
import { frameId, type Frame } from '../../src/contract/frame';
import { frameKey } from '../../src/contract/key';
import type { ActorReport, StoreParameters } from '../../src/protocol/messages';
import { openRedis, type RedisClient } from '../../src/connections/redis';
import { Spool } from '../../src/spool/spool';
import { waitUntil } from '../../lab/process';
import { startCluster, startRedis, startSentinel } from '../../lab/redis';

const PICTURE = Buffer.alloc(50_000, 'x');

interface Bench {
  readonly lines: readonly string[];
  readonly delivered: ReadonlySet<number>;
  /** Spools a frame a camera and tells the store, as cameras do. */
  spool(...times: number[]): Promise<void>;
  /** Waits until all are delivered, and looks for each in Redis. */
  arrived(times: readonly number[]): Promise<void>;
  /** Ends the store, and starts it anew on its spool. */
  restart(): Promise<void>;
  faultCodes(): readonly string[];
  confirmed(): Promise<string[]>;
}

/** A store with a broker that confirms everything. */
async function openStore(
  t: TestContext,
  redisUrl: string,
  changes: Partial<StoreParameters> = {},
): Promise<Bench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-redis-store-'));
  const spool = new Spool(dir);
  const lines: string[] = [];
  const codes: string[] = [];
  const delivered = new Set<number>();
  const client: RedisClient = openRedis(redisUrl, { retryStrategy: () => 200, commandTimeout: 3000 });
  client.on('error', () => undefined);
  const write = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push(message);
    if (typeof fields?.['code'] === 'string') codes.push(fields['code']);
  };
  const context: Parameters<typeof startStore>[0] = {
    parameters: {
      holder: { id: randomUUID(), name: 'daemon of this test' },
      redisUrl,
      namespace: 'v',
      expireMs: 60_000,
      spoolDir: dir,
      durability: 'memory',
      spool: {
        maxBytes: 1e9,
        maxAgeMs: 3_600_000,
        maxFrames: 10_000,
        minFreeBytes: 0,
        replay: 'oldest-first',
        replayRate: 1000,
      },
      drainMs: 500,
      ...changes,
    },
    log: { error: write, warn: write, info: write, debug: write },
    report: (report: ActorReport) => {
      if (report.kind === 'announce')
        setImmediate(() => actor.receive({ kind: 'announced', id: frameId(report.frame) }));
      if (report.kind === 'delivered') for (const { sequence } of report.frames) delivered.add(sequence);
    },
  };
  let actor = startStore(context);
  t.after(async () => {
    await actor.stop();
    client.disconnect();
    await rm(dir, { recursive: true });
  });
  return {
    lines,
    delivered,
    faultCodes: () => codes,
    restart: async () => {
      await actor.stop();
      actor = startStore(context);
    },
    spool: async (...times) => {
      for (const time of times) {
        const frame = frameOf(time);
        await spool.write(frame, PICTURE);
        actor.receive({ kind: 'frame', frame });
      }
    },
    arrived: async (times) => {
      await waitUntil('all are delivered', () => times.every((time) => delivered.has(time)), 30_000).catch(
        (error: unknown) => {
          throw new Error(`${(error as Error).message}; it said:\n${lines.join('\n')}`);
        },
      );
      const isThere = (time: number) =>
        client.exists(frameKey('v', frameOf(time))).catch((error: unknown) => String(error));
      // Our own connection may have to follow a failover, too.
      await waitUntil('Redis answers', async () => typeof (await isThere(0)) === 'number');
      for (const time of times) assert.equal(await isThere(time), 1, `frame ${time} is in Redis`);
    },
    confirmed: async () => {
      const cameras = await readdir(dir);
      const names = cameras.map((camera) => readdir(path.join(dir, camera, 'confirmed')).catch(() => []));
      return (await Promise.all(names)).flat();
    },
  };
}

const START = Date.now();

function frameOf(time: number): Frame {
  return {
    camera: `cam${time % 8}`,
    capturedAt: START + time,
    sequence: time,
    width: 1,
    height: 1,
    format: 'jpeg',
    bytes: PICTURE.length,
  };
}

function times(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Spools frames until `over`, ten a second; resolves with those spooled. */
async function spoolWhile(bench: Bench, first: number, over: () => Promise<void>): Promise<number[]> {
  const state = { over: false };
  const ending = over().finally(() => {
    state.over = true;
  });
  ending.catch(() => undefined);
  const spooled: number[] = [];
  for (let time = first; !state.over; time++) {
    await bench.spool(time);
    spooled.push(time);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ending;
  return spooled;
}

describe('the store', () => {
  test('on a Redis that is out of memory, then has room', async (t) => {
    const redis = await startRedis(['save ""', 'maxmemory-policy noeviction']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
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

  test('on a Redis without the database of its URL writes into no other, however often it connects', async (t) => {
    const redis = await startRedis(['save ""', 'databases 4']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    const bench = await openStore(t, new URL('/9', server.url).href);
    await bench.spool(...times(1, 5));
    await waitUntil('it says so', () => bench.faultCodes().includes('redis-database'));
    let asked = 0;
    /** Connections so far, without those of this test. */
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

  test('in a database of its own, also on a connection after another', async (t) => {
    const redis = await startRedis(['save ""', 'databases 4']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    const bench = await openStore(t, new URL('/3', server.url).href);
    await bench.spool(...times(1, 5));
    await bench.arrived(times(1, 5));
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await bench.spool(...times(6, 5));
    await bench.arrived(times(6, 5));
    assert.equal(await server.command('DBSIZE'), 0);
  });

  test('on a Redis that has become a replica, then is a primary again', async (t) => {
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
    test(`on a Redis whose ACL refuses ${what}, and then no longer`, async (t) => {
      const redis = await startRedis(['save ""']);
      t.after(() => redis.stop());
      const [server] = redis.servers;
      assert.ok(server !== undefined);
      await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~*', '&*', '+@all');
      await server.command('ACL', 'SETUSER', 'u', ...rules);
      const bench = await openStore(t, server.url.replace('//', '//u:hush@'));
      await bench.spool(...times(1, 5));
      await waitUntil('it says so', () => bench.lines.some((line) => says.test(line)));
      assert.deepEqual([...new Set(bench.faultCodes())], [code], bench.lines.join('\n'));
      await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~*', '&*', '+@all');
      // Redis keeps what it was told of users; frames were not lost.
      await waitUntil('all are delivered', () => times(1, 5).every((time) => bench.delivered.has(time)));
      assert.doesNotMatch(bench.lines.join('\n'), /hush|cannot be reached/);
    });

  test('on a Redis whose ACL lets it write frames and not the latest keys: frames go on, and it says so', async (t) => {
    const redis = await startRedis(['save ""']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    await server.command('ACL', 'SETUSER', 'u', 'reset', 'on', '>hush', '~v:frame:*', '+set', '+info');
    const bench = await openStore(t, server.url.replace('//', '//u:hush@'));
    await bench.spool(...times(1, 5));
    await waitUntil('all are delivered', () => times(1, 5).every((time) => bench.delivered.has(time)));
    assert.match(
      bench.lines.join('\n'),
      /SET of the key v:latest:\S+; .*frames are delivered without the camera's latest key/,
    );
  });

  test('on a Redis that is loading its data, then has', async (t) => {
    const redis = await startRedis([
      'save 3600 1',
      'key-load-delay 1000',
      'loading-process-events-interval-bytes 1024',
    ]);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
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

  test('on a Redis that cannot save: it takes no writes, and then does again', async (t) => {
    const redis = await startRedis(['save 3600 1', 'stop-writes-on-bgsave-error yes']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    const [, dir = ''] = (await server.command('CONFIG', 'GET', 'dir')) as string[];
    await rm(dir, { recursive: true });
    let newest = 1;
    await waitUntil('it says so', async () => {
      // Refused while another is under way, which began in time. Frames that come before it failed are stored.
      await server.command('BGSAVE').catch(() => undefined);
      await bench.spool(++newest);
      return bench.faultCodes().includes('redis-disk');
    });
    await server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    await bench.arrived(times(1, newest));
  });

  test('on a port where something else answers, or Redis in protected mode', async (t) => {
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

  test('on a Redis that is frozen for longer than a command may take', async (t) => {
    const redis = await startRedis(['save ""']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
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

  test('on a Redis that is killed and started without its memory', async (t) => {
    const redis = await startRedis(['save ""']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    const bench = await openStore(t, server.url);
    await bench.spool(1);
    await bench.arrived([1]);
    const spooled = await spoolWhile(bench, 2, async () => {
      await waitUntil('some are delivered', () => bench.delivered.size > 5);
      await server.restart();
    });
    await waitUntil('all are delivered', () => spooled.every((time) => bench.delivered.has(time)));
  });

  test('stores again what was announced when Redis has lost it, where frames are to be durable', async (t) => {
    const redis = await startRedis(['save 3600 100000']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
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

  test('lets durable frames go within seconds of an append-only file', async (t) => {
    const redis = await startRedis(['save ""', 'appendonly yes', 'appendfsync everysec']);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    const bench = await openStore(t, server.url, { durability: 'durable' });
    await bench.spool(...times(1, 10));
    await bench.arrived(times(1, 10));
    assert.equal((await bench.confirmed()).length, 10);
    await waitUntil('they leave the spool', async () => (await bench.confirmed()).length === 0, 8000);
    await server.restart();
    await bench.arrived(times(1, 10));
  });

  test('follows a Cluster: through the loss and return of a node', async (t) => {
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

  test('counts nothing that a node of a Cluster takes when it wakes and does not know yet that it was replaced', async (t) => {
    const cluster = await startCluster({ replicas: 1 });
    t.after(() => cluster.stop());
    const bench = await openStore(t, cluster.url);
    await bench.spool(...times(1, 30));
    await bench.arrived(times(1, 30));
    const frozen = await cluster.primary();
    const other = cluster.servers.find((server) => server !== frozen);
    const nodes = async () => String(await other?.command('CLUSTER', 'NODES'));
    const isReplaced = async () => !new RegExp(`:${frozen.port}@.* \\d+-\\d+$`, 'm').test(await nodes());
    // Before the first frame: one that it answered for and had not passed on to its replica yet would be lost with it.
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
    await waitUntil('what the replica had not got is stored again', async () =>
      bench.arrived(times(1, 10)).then(
        () => true,
        () => false,
      ),
    );
    await bench.arrived(spooled);
  });

  test('leaves a primary that Sentinels replaced while it was frozen: what it took after it woke would be lost', async (t) => {
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
    // It may be ready again before anybody looks.
    const closed = once(client, 'close');
    client.disconnect(true);
    await closed;
  }
  assert.deepEqual(errors, []);
});
