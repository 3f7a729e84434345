/** The Python package on its own: types, examples, and the same verdicts on messages and URLs as the TypeScript kit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { redisAddress, type RedisAddress } from '../../src/connections/redis-address';
import { readAnnouncement } from '../../src/consumer/announcement';
import { frameSampled } from '../../src/contract/events';
import { hostsOf } from '../../src/url/url';
import { PYTHON, PYTHON_PACKAGE } from '../../lab/python-consumer';

const PROJECT = path.dirname(PYTHON_PACKAGE);

function python(script: string, input = '', args: readonly string[] = []): string {
  const env = { ...process.env, PYTHONPATH: PYTHON_PACKAGE, PYTHONDONTWRITEBYTECODE: '1' };
  return execFileSync(PYTHON, ['-c', script, ...args], { cwd: PROJECT, env, input, encoding: 'utf8' });
}

const data = {
  camera: 'gate',
  capturedAt: 1_795_381_133_042,
  width: 1920,
  height: 1080,
  format: 'jpeg',
  bytes: 301_442,
  sequence: 1_795_381_133,
} as const;
const good = frameSampled('vigil', data, false, data.capturedAt + 412);

/** The announcement with other values; undefined removes a member. */
const withData = (changes: object) => JSON.stringify({ ...good, data: { ...good.data, ...changes } });
const withEvent = (changes: object) => JSON.stringify({ ...good, ...changes });
const key = (text: string) => withData({ key: text });

const BODIES: readonly string[] = [
  JSON.stringify(good),
  withEvent({ traceparent: '00-1', extra: [1] }),
  withData({
    clock: 'camera',
    clockSkewMs: -87,
    verdict: { kind: 'torn', confidence: 95 },
    linkDelayMs: 500,
  }),
  withData({ clockUnset: true }),
  JSON.stringify(good).replace('"width":1920', '"width":1.92e3'),
  ...['', 'null', '[]', '7', '"x"', '{}', '{"data":{}}', 'not json', '['.repeat(60_000), ' '.repeat(70_000)],
  '\uFEFF' + JSON.stringify(good),
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'data'].flatMap((name) => [
    withEvent({ [name]: undefined }),
    withEvent({ [name]: 7 }),
    withEvent({ [name]: '' }),
  ]),
  withEvent({ subject: '../gate' }),
  ...Object.keys(good.data).flatMap((name) =>
    [undefined, null, -1, 0.5, 'x', true, {}, '1', 1e300].map((value) => withData({ [name]: value })),
  ),
  withData({ node: 'north' }),
  ...['clockSkewMs', 'clock', 'clockUnset', 'linkDelayMs', 'verdict', 'node'].flatMap((name) =>
    [null, -1, 0, 0.5, 'x', false, {}, []].map((value) => withData({ [name]: value })),
  ),
  withData({ verdict: { kind: 'healthy', confidence: 101 } }),
  withData({ verdict: { kind: 'well', confidence: 1 } }),
  key('vigil:frame:other:1795381133042:1920x1080:jpeg'),
  key('vigil:frame:gate:1795381133042:1920x1080:jpeg\n'),
  key('vigil:frame:gate:01795381133042:1920x1080:jpeg'),
  key('vigil:frame:gate:1795381133042:01920x1080:jpeg'),
  key('vigil:frame:gate:١٧٩٥:1920x1080:jpeg'),
  key('vigil:frame:gate:1795381133042:1920x1080:gif'),
  key('vigil:latest:gate'),
  key('vigil:frame:../../etc:1795381133042:1920x1080:jpeg'),
  key(`${'n'.repeat(65)}:frame:gate:1795381133042:1920x1080:jpeg`),
];

describe('vigil-consumer', () => {
  it('passes mypy --strict', (t) => {
    const cache = mkdtempSync(path.join(tmpdir(), 'vigil-mypy-'));
    t.after(() => rmSync(cache, { recursive: true }));
    // Debian's mypy is a module of Debian's interpreter.
    execFileSync(PYTHON, ['-m', 'mypy', '--strict', '--cache-dir', cache], {
      cwd: PROJECT,
      encoding: 'utf8',
    });
  });

  it('has examples in its documentation that run as printed', () => {
    const modules = readdirSync(path.join(PYTHON_PACKAGE, 'vigil_consumer')).flatMap((name) =>
      name.endsWith('.py') ? [name.replace('.py', '')] : [],
    );
    const script = `
import doctest, importlib, sys
results = [doctest.testmod(importlib.import_module("vigil_consumer." + name)) for name in sys.argv[1:]]
results += [doctest.testfile(name, module_relative=False) for name in ("README.md",)]
print(sum(result.failed for result in results), sum(result.attempted for result in results))
`;
    const [failed, attempted] =
      python(script, '', modules).trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    assert.equal(failed, 0);
    assert.ok(Number(attempted) > 20, `${attempted} examples`);
  });

  it('accepts and refuses the same messages as the TypeScript kit', () => {
    const script = `
import base64, json, sys
from vigil_consumer import ConsumerError, read_announcement
def judge(body):
    try:
        return read_announcement(base64.b64decode(body)).key
    except ConsumerError as error:
        return error.code
print(json.dumps([judge(body) for body in json.load(sys.stdin)]))
`;
    const bodies = BODIES.map((text) => Buffer.from(text));
    const found = JSON.parse(
      python(script, JSON.stringify(bodies.map((body) => body.toString('base64')))),
    ) as string[];
    const expected = bodies.map((body) => {
      try {
        return readAnnouncement(body).data.key;
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    for (const [i, text] of BODIES.entries()) assert.equal(found[i], expected[i], `of ${text.slice(0, 600)}`);
    assert.ok(expected.includes(good.data.key) && expected.includes('invalid-message'));
  });

  it('reads every URL that endpoints.json may hold as the daemon does', () => {
    const redis = [
      'redis://127.0.0.1:6379/0',
      'redis://:p%40ss@localhost/3',
      'rediss://user:p%3Aw@store.example:6380/1',
      'redis://[::1]:7000',
      'redis-sentinel://one,two:26380,[::1]:26381/2?name=main&sentinelUsername=s&sentinelPassword=t%2F',
      'rediss-sentinel://u:p@one/0',
      'redis-cluster://one:7000,two:7001',
      'rediss-cluster://u:p%2F@one,[::1]:7001',
    ];
    const amqp = [
      'amqp://127.0.0.1:5672/',
      'amqp://u:p%40@one,two:5673,[::1]:5674/v',
      'amqps://u:p@one,two/%2Fv?heartbeat=20',
      'amqp://one',
    ];
    const script = `
import json, sys
from dataclasses import asdict
from vigil_consumer.servers import amqp_server, redis_server
redis, amqp = json.load(sys.stdin)
print(json.dumps([[asdict(redis_server(url)) for url in redis], [asdict(amqp_server(url)) for url in amqp]]))
`;
    const [foundRedis = [], foundAmqp = []] = JSON.parse(
      python(script, JSON.stringify([redis, amqp])),
    ) as Record<string, unknown>[][];
    assert.deepEqual(
      foundRedis,
      redis.map((url) => pythonOf(redisAddress(url))),
    );
    assert.deepEqual(
      foundAmqp.map(({ hosts }) => hosts),
      amqp.map((url) =>
        hostsOf(url).map((each) => {
          const { hostname, port, protocol } = new URL(each);
          return [hostname.replace(/^\[|\]$/g, ''), Number(port) || (protocol === 'amqps:' ? 5671 : 5672)];
        }),
      ),
    );
    assert.deepEqual(foundAmqp[2], {
      hosts: [
        ['one', 5671],
        ['two', 5671],
      ],
      ...{ tls: true, username: 'u', password: 'p', vhost: '/v', heartbeat_s: 20 },
    });
  });

  it('refuses a URL that it cannot read without repeating it', () => {
    const script = `
import json, sys
from vigil_consumer import ConsumerError, frames
for amqp in json.load(sys.stdin):
    try:
        frames({"amqp": amqp, "redis": "redis://127.0.0.1/"})
        print("taken")
    except ConsumerError as error:
        print(error.code, error)
`;
    const urls = [
      '',
      'http://u:hush@host/',
      'amqp://u:hush/@host',
      'amqp://',
      'amqp://u:hush@one,/',
      'amqp://u:hush@one:x/',
    ];
    const lines = python(script, JSON.stringify(urls)).trim().split('\n');
    assert.equal(lines.length, urls.length);
    for (const line of lines) {
      assert.match(line, /^invalid-option amqp: /);
      assert.doesNotMatch(line, /hush/);
    }
  });
});

/** What the Python package must find in a URL. */
function pythonOf(address: RedisAddress): Record<string, unknown> {
  const common = {
    kind: address.kind,
    username: address.username ?? null,
    password: address.password ?? null,
    db: 'db' in address ? address.db : 0,
    master: address.kind === 'sentinel' ? address.master : 'mymaster',
    sentinel_username: (address.kind === 'sentinel' && address.sentinelLogin.username) || null,
    sentinel_password: (address.kind === 'sentinel' && address.sentinelLogin.password) || null,
  };
  if (address.kind !== 'server')
    return { ...common, tls: address.tls, hosts: address.hosts.map(({ host, port }) => [host, port]) };
  const { protocol, hostname, port, username, password } = new URL(address.url);
  return {
    ...common,
    tls: protocol === 'rediss:',
    hosts: [[hostname.replace(/^\[|\]$/g, ''), Number(port) || 6379]],
    username: decodeURIComponent(username) || null,
    password: decodeURIComponent(password) || null,
  };
}
