/** What "fleet" of actors.json may be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import { configurationName } from '../../../src/supervisor/held-cameras';
import { GATE, thrownBy, topologyOf } from './parsing';

const SERVERS = { redis: 'redis://r.example', rabbitmq: 'amqp://b.example' };
const ETCD = ['http://e1.example:2379'];
const configOf = (fleet: unknown, more: object = {}) => ({ ...SERVERS, fleet, cameras: [GATE], ...more });

function faultsOf(fleet: unknown, more: object = {}): string[] {
  const error = thrownBy(() => topologyOf(configOf(fleet, more)));
  if (error === undefined) return [];
  assert.ok(error instanceof ConfigurationError);
  return error.faults.map(({ path, problem }) => `${path}: ${problem}`);
}

describe('the fleet of a configuration', () => {
  it('is none unless it is written', () => assert.equal(topologyOf({ cameras: [] }).fleet, undefined));

  it('has a name and a capacity by default, and the host name for its node', () =>
    assert.deepEqual(topologyOf(configOf({ etcd: ETCD })).fleet, { etcd: ETCD, name: 'vigil', capacity: 1 }));

  it('finds the files of TLS beside actors.json, and says which are not there', () => {
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
        '$.redis: is embedded, and the nodes of a fleet share their servers; give the URL of one that all nodes reach',
      ]);
    });

  it('is named by its revision, and differs where nodes announce in different namespaces', () => {
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
      it(`need no key where the environment has them: ${JSON.stringify(camera)}`, () =>
        assert.deepEqual(faultsWith(camera, {}), []));
    it('are not sealed with a key that is none', () => {
      for (const key of ['secret', KEY.slice(2), 'x'.repeat(44), `${KEY.slice(0, -2)}!=`])
        assert.deepEqual(faultsWith({ test: 'testsrc2' }, { VIGIL_FLEET_KEY: key }), [
          '$.fleet: the environment variable VIGIL_FLEET_KEY is not 32 bytes in base64; make a key with: openssl rand -base64 32',
        ]);
    });
  });
});
