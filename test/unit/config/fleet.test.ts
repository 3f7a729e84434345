/** What "fleet" of actors.json may be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { configurationHash } from '../../../src/supervisor/held-cameras';
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

  it('compares the cameras of its nodes by a hash that differs with every setting and not with credentials', () => {
    const hashOf = (camera: object) =>
      configurationHash(topologyOf(configOf({ etcd: ETCD }, { cameras: [camera] })));
    const gate = { id: 'gate', url: 'rtsp://u:one@cam.example/a' };
    assert.equal(hashOf(gate), hashOf({ ...gate, url: 'rtsp://u:two@cam.example/a' }));
    assert.notEqual(hashOf(gate), hashOf({ ...gate, url: 'rtsp://u:one@cam.example/b' }));
    assert.notEqual(hashOf(gate), hashOf({ ...gate, rate: 2 }));
    assert.notEqual(hashOf(gate), hashOf({ ...gate, id: 'yard' }));
  });
});
