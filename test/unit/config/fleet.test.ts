/** What "fleet" of actors.json may be. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import { configurationName } from '../../../src/supervisor/held-cameras';
import { GATE, thrownBy, topologyOf } from './parsing';

const SERVERS = { redis: 'redis://r.example', rabbitmq: 'amqp://b.example' };
const ETCD = ['http://e1.example:2379'];
const configOf = (fleet: unknown, more: object = {}) => ({ ...SERVERS, fleet, cameras: [GATE], ...more });

const remote = (url: string) => ({ kind: 'remote', url });

function faultsOf(fleet: unknown, more: object = {}): string[] {
  const error = thrownBy(() => topologyOf(configOf(fleet, more)));
  if (error === undefined) return [];
  assert.ok(error instanceof ConfigurationError);
  return error.faults.map(({ path, problem }) => `${path}: ${problem}`);
}

describe('the fleet of a configuration', () => {
  it('is absent unless it is configured', () => assert.equal(topologyOf({ cameras: [] }).fleet, undefined));

  it('has a name and a capacity by default, and the host name for its node', () =>
    assert.deepEqual(topologyOf(configOf({ etcd: ETCD })).fleet, { etcd: ETCD, name: 'vigil', capacity: 1 }));

  it('finds the files of TLS beside actors.json, and names those that are missing', () => {
    const faults = faultsOf({ etcd: ['https://e1.example:2379'], ca: 'ca.pem', cert: 'c.pem', key: 'k.pem' });
    const words = 'there is no such file; it is looked for beside actors.json';
    assert.deepEqual(faults, [`$.fleet.ca: ${words}`, `$.fleet.cert: ${words}`, `$.fleet.key: ${words}`]);
  });

  for (const [name, fleet, said] of [
    ['no etcd', {}, /^\$\.fleet(\.etcd)?: /],
    ['an empty list', { etcd: [] }, /^\$\.fleet\.etcd: /],
    ['another scheme', { etcd: ['redis://e1'] }, /^\$\.fleet\.etcd\[0\]: /],
    ['a path', { etcd: ['http://e1:2379/v3'] }, /^\$\.fleet\.etcd\[0\]: has more than a host and a port/],
    [
      'a login in the URL',
      { etcd: ['http://u:pw@e1:2379'] },
      /^\$\.fleet\.etcd\[0\]: has a user name; give /,
    ],
    ['capacity 0', { etcd: ETCD, capacity: 0 }, /^\$\.fleet\.capacity: .*0\.1/],
    [
      'a user without a password',
      { etcd: ETCD, username: 'u' },
      /^\$\.fleet\.password: is required beside "username"/,
    ],
    [
      'a password without a user',
      { etcd: ETCD, password: 'u' },
      /^\$\.fleet\.username: is required beside "password"/,
    ],
    ['a blank in the node', { etcd: ETCD, node: 'a b' }, /^\$\.fleet\.node: /],
    ['an unknown key', { etcd: ETCD, nodes: 3 }, /^\$\.fleet\.nodes: /],
    ['one URL', { etcd: ETCD[0] }, /^\$\.fleet\.etcd: is one URL where a list is expected/],
    [
      'a certificate for an embedded etcd',
      { etcd: 'embedded', ca: 'ca.pem' },
      /^\$\.fleet\.ca: belongs to etcd servers that are named by URL; remove it/,
    ],
  ] as const)
    it(`is refused with ${name}, in one sentence`, () => {
      const faults = faultsOf(fleet);
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.match(faults[0] ?? '', said);
    });

  for (const redis of ['embedded', { embedded: true }, undefined])
    it(`is refused with a Redis of its own (${JSON.stringify(redis)})`, () => {
      const faults = faultsOf({ etcd: ETCD }, { redis });
      assert.deepEqual(faults, [
        '$.redis: is embedded, and the nodes of a fleet share their servers; give the URL of one that all nodes reach, or "embedded" as "fleet.etcd", too, to try a fleet on one machine',
      ]);
    });

  it('with an embedded etcd may have embedded servers, too, or others', () => {
    const embedded = { redis: 'embedded', rabbitmq: { embedded: true, port: 5672 } };
    const { fleet, redis } = topologyOf(configOf({ etcd: 'embedded' }, embedded));
    assert.deepEqual([fleet?.etcd, redis], ['embedded', { kind: 'embedded' }]);
    assert.deepEqual(faultsOf({ etcd: 'embedded' }), []);
  });

  describe('by the endpoints.json of another daemon', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-endpoints-'));
    after(() => rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'endpoints.json');
    const [redis, amqp] = ['redis://default:a@127.0.0.1:7001/0', 'amqp://vigil:b@127.0.0.1:7002/'];
    const joined = (more: object = { redis: undefined, rabbitmq: undefined }) =>
      topologyOf(configOf({ etcd: file }, more));

    it('uses its etcd, Redis and RabbitMQ, embedded ones by what only their user can replace', () => {
      writeFileSync(file, JSON.stringify({ redis, amqp, etcd: 'unix:/x/etcd.sock:0' }));
      const plain = joined();
      assert.deepEqual(plain.fleet?.etcd, ['unix:/x/etcd.sock:0']);
      assert.deepEqual([plain.redis, plain.rabbitmq], [remote(redis), remote(amqp)]);
      for (const [name, port] of [
        ['redis', 7001],
        ['rabbitmq', 7002],
      ] as const) {
        mkdirSync(path.join(dir, name));
        writeFileSync(path.join(dir, name, 'server.json'), JSON.stringify({ port }));
      }
      const own = joined();
      const urls = [own.redis, own.rabbitmq].map((spec) => (spec.kind === 'remote' ? spec.url : ''));
      assert.equal(new URL(urls[0] ?? '').searchParams.get('socket-dir'), path.join(dir, 'redis'));
      assert.equal(new URL(urls[1] ?? '').searchParams.get('owner'), String(process.getuid?.()));
      assert.deepEqual(joined({}).redis, remote(SERVERS.redis), 'unless others are named');
    });

    it('is refused, with the code of what is missing, while that daemon does not run or has no etcd', () => {
      writeFileSync(file, JSON.stringify({ redis, amqp }));
      const said = thrownBy(() => joined());
      assert.ok(said instanceof ConfigurationError);
      assert.equal(said.code, 'no-endpoints');
      assert.match(
        said.message,
        /names no etcd; that daemon's configuration needs "fleet": \{"etcd": "embedded"\}/,
      );
      rmSync(file);
      assert.match(
        String(thrownBy(() => joined())),
        /endpoints\.json cannot be read \(ENOENT\).*start that daemon/,
      );
      assert.deepEqual(faultsOf({ etcd: file }, { redis: { embedded: true } }), [
        '$.redis: is embedded, and this node uses the servers that "fleet.etcd" names; remove it',
      ]);
    });
  });

  it('is named by its revision, and differs if nodes announce in different namespaces', () => {
    const name = configurationName({ namespace: 'one' }, 7, 'id');
    assert.match(name, /^r7-[0-9a-f]{8}$/);
    assert.notEqual(name, configurationName({ namespace: 'two' }, 7, 'id'));
    assert.notEqual(name, configurationName({ namespace: 'one' }, 7, 'other'));
  });

  describe('credentials', () => {
    const KEY = Buffer.alloc(32, 1).toString('base64');
    const faultsWith = (camera: object, environment: NodeJS.ProcessEnv) => {
      const text = JSON.stringify(configOf({ etcd: ETCD }, { cameras: [{ id: 'gate', ...camera }] }));
      const error = thrownBy(() => parseTopology(text, 'actors.json', { U: 'u', P: 'p', ...environment }));
      return error instanceof ConfigurationError
        ? error.faults.map(({ path, problem }) => `${path}: ${problem}`)
        : [];
    };
    for (const [name, camera, path] of [
      [
        'a password',
        { url: 'rtsp://h.example/', username: '${U}', password: 'canary' },
        '$.cameras[0].password',
      ],
      [
        'a part of a password',
        { url: 'rtsp://h.example/', username: '${U}', password: '${P}x' },
        '$.cameras[0].password',
      ],
      [
        'a user name',
        { url: 'rtsp://h.example/', username: 'canary', password: '${P}' },
        '$.cameras[0].username',
      ],
      ['a password in a URL', { url: 'rtsp://${U}:canary@h.example/' }, '$.cameras[0].url'],
      ['a token in a query', { still: 'http://h.example/a.jpg?token=can' }, '$.cameras[0].still'],
      ['a value in a query', { still: 'http://h.example/a.jpg?c=canary' }, '$.cameras[0].still'],
      ['a password in a path', { url: 'rtsp://h.example/user=x&password=canary&c=1' }, '$.cameras[0].url'],
      ['the key of an RTMP stream', { url: 'rtmp://h.example/live/canary' }, '$.cameras[0].url'],
    ] as const) {
      it(`are refused without a key to seal them: ${name}`, () => {
        const faults = faultsWith(camera, {});
        assert.deepEqual(faults, [
          `${path}: holds credentials, which a fleet does not write to etcd in clear text; write them as \${NAME}, or set VIGIL_FLEET_KEY on all nodes to have them sealed`,
        ]);
        assert.doesNotMatch(faults.join(), /canary/);
      });
      it(`are taken with one: ${name}`, () =>
        assert.deepEqual(faultsWith(camera, { VIGIL_FLEET_KEY: KEY }), []));
    }
    for (const camera of [
      { url: 'rtsp://${U}:${P}@h.example/cam?channel=1&subtype=0' },
      { url: 'rtsp://h.example/${P}', username: '${U}', password: '${P}' },
      { url: 'rtsp://h.example/', username: '', password: '' },
    ])
      it(`need no key if the environment has them: ${JSON.stringify(camera)}`, () =>
        assert.deepEqual(faultsWith(camera, {}), []));
    it('are not sealed with an invalid key', () => {
      for (const key of ['secret', KEY.slice(2), 'x'.repeat(44), `${KEY.slice(0, -2)}!=`])
        assert.deepEqual(faultsWith({ test: 'testsrc2' }, { VIGIL_FLEET_KEY: key }), [
          '$.fleet: the environment variable VIGIL_FLEET_KEY is not 32 bytes in base64; make a key with: openssl rand -base64 32',
        ]);
    });
  });
});
