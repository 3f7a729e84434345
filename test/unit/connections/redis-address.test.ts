/** URLs of Redis and RabbitMQ that name several hosts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readServerUrl } from '../../../src/consumer/server-url';
import { serverPathProblem } from '../../../src/connections/server-path';
import { hostsOf, redactUrl, urlProblem, withCredentials } from '../../../src/url/url';
import { REDIS_SCHEMES, redisAddress } from '../../../src/connections/redis-address';

describe('a URL of several hosts', () => {
  for (const [url, hosts] of [
    ['amqp://u:p%40@a,b:5673/v', ['amqp://u:p%40@a/v', 'amqp://u:p%40@b:5673/v']],
    ['amqps://[::1]:5671,b/', ['amqps://[::1]:5671/', 'amqps://b/']],
    ['redis-cluster://a:1,b:2,c:3', ['redis-cluster://a:1', 'redis-cluster://b:2', 'redis-cluster://c:3']],
    ['redis://a,b/', ['redis://a,b/']],
    ['amqp://a/', ['amqp://a/']],
  ] as const)
    it(`${url} names ${hosts.length}`, () => assert.deepEqual(hostsOf(url), hosts));

  it('has credentials put in front of all its hosts, and shows none', () => {
    const url = withCredentials('redis-sentinel://a:1,b:2/0?name=m&sentinelPassword=x', 'u', 'p@:/');
    assert.equal(url, 'redis-sentinel://u:p%40%3A%2F@a:1,b:2/0?name=m&sentinelPassword=x');
    assert.equal(redactUrl(url), 'redis-sentinel://a:1,b:2/0?…');
  });

  for (const [url, problem] of [
    ['redis-sentinel://a:1,b:2?name=m', undefined],
    ['redis-cluster://a:1,b:99999', /cannot be read/],
    ['redis-cluster://a:1,,b:2', /cannot be read/],
    ['redis://a,b/', /names several hosts, which redis:\/\/ cannot/],
    ['sentinel://a', /expected a URL that begins with redis:\/\//],
  ] as const)
    it(`${url} ${problem === undefined ? 'is one' : 'is none'}`, () => {
      const found = urlProblem(url, REDIS_SCHEMES);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', problem);
    });
});

describe('the address of a Redis', () => {
  it('is the URL of a server', () => {
    const url = 'rediss://u:p@h:1/2';
    assert.deepEqual(redisAddress(url), { kind: 'server', url, db: 2 });
    for (const [none, db] of [
      ['redis://h', 0],
      ['redis://h/', 0],
      ['redis://h/?db=4', 4],
    ] as const)
      assert.deepEqual(redisAddress(none), { kind: 'server', url: none, db });
  });

  it('is a set of Sentinels, the name they watch, and two pairs of credentials', () => {
    assert.deepEqual(
      redisAddress('rediss-sentinel://u:p%40@a,b:1/3?name=cams&sentinelUsername=s&sentinelPassword=t%2F'),
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
        ],
        tls: true,
        username: 'u',
        password: 'p@',
        master: 'cams',
        db: 3,
        sentinelLogin: { username: 's', password: 't/' },
      },
    );
    const plain = redisAddress('redis-sentinel://a');
    assert.ok(plain.kind === 'sentinel');
    assert.deepEqual([plain.master, plain.db, plain.tls, plain.sentinelLogin], ['mymaster', 0, false, {}]);
  });

  it('is the nodes of a Cluster', () =>
    assert.deepEqual(redisAddress('redis-cluster://:p@[::1]:7000,b'), {
      kind: 'cluster',
      hosts: [
        { host: '::1', port: 7000 },
        { host: 'b', port: 6379 },
      ],
      tls: false,
      password: 'p',
    }));
});

describe('what is behind the host in the URL of a server', () => {
  const rows: readonly [string, RegExp | undefined][] = [
    ['redis://h', undefined],
    ['redis://h/', undefined],
    ['rediss://u:p@h:1/15', undefined],
    ['redis://h/?db=3&family=6', undefined],
    ['redis-sentinel://a,b/2?name=m', undefined],
    ['redis-cluster://a,b/', undefined],
    ['redis-cluster://a,b/0', undefined],
    ['amqp://h', undefined],
    ['amqp://h/', undefined],
    ['amqps://a,b/cams%2Fgate?heartbeat=10', undefined],
    ['redis://h/abc', /number of a database/],
    ['redis://h/1/2', /number of a database/],
    ['redis://h/-1', /number of a database/],
    ['redis://h/1.5', /number of a database/],
    ['redis://h/%31', /number of a database/],
    ['redis://h/0x1', /number of a database/],
    ['redis://h/999999', /number of a database/],
    ['redis://h/?db=first', /number of a database/],
    ['redis-sentinel://a,b/mymaster', /number of a database/],
    ['redis-cluster://a,b/1', /Cluster has no databases/],
    ['amqp://h/a/b', /one virtual host; a "\/" in its name is written %2F/],
    ['amqp://h//', /one virtual host/],
    ['amqp://h/100%', /a "%" in its name is written %25/],
    ['amqp://h/%ff', /cannot be read/],
    ['amqp://h/v?heartbeat=often', /"heartbeat" in the URL is a number of seconds/],
  ];
  for (const [url, problem] of rows)
    it(`${url} is ${problem === undefined ? 'right' : 'wrong, and not shown'}`, () => {
      const found = serverPathProblem(url);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', problem);
      assert.ok(!(found ?? '').includes(url));
    });

  it('is checked for consumers too', () =>
    assert.throws(() => readServerUrl('redisUrl', 'redis://:hush@h/abc', REDIS_SCHEMES), {
      code: 'invalid-option',
      message: /^redisUrl: what is behind the host/,
    }));
});
