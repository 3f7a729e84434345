/** What `status --fleet` shows: nodes with their load, cameras with their node, and why they came there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fleetText } from '../../../src/commands/fleet-text';
import { Facts, Keys, type NodeRecord } from '../../../src/fleet/facts';
import { statusOf } from '../../../src/fleet/status';

const NOW = 1_700_000_000_000;
const keys = new Keys('site');

function node(state: NodeRecord['state'], capacity: number): NodeRecord {
  const record = { id: 'x', address: 'daemon with pid 7', version: '1.0.0', configuration: 'abc', beat: 1 };
  return { ...record, state, capacity };
}

function facts(): Facts {
  const found = new Facts(keys);
  found.nodes.set('south', node('draining', 1));
  found.nodes.set('north', { ...node('member', 2), costs: { gate: 110, door: 43 } });
  const own = (id: string, name: string, ago: number) => ({
    entry: {
      key: keys.camera(id),
      value: JSON.stringify({ node: name, sinceMs: NOW - ago, ...found.pastOf(id) }),
      ...{ createRevision: 1, modRevision: 1, lease: '7' },
    },
    kind: 'put' as const,
  });
  found.apply([own('gate', 'lost', 99_000), own('yard', 'south', 65_000), own('door', 'north', 5000)]);
  found.apply([{ kind: 'delete', key: keys.camera('gate') }]);
  found.apply([own('gate', 'north', 1000)]);
  return found;
}

describe('the text of status --fleet', () => {
  const cameras = ['gate', 'yard', 'door', 'lane'].map((id) => ({ id, weight: 1 }));

  test('has a line for each node and camera, with unowned cameras above them', () => {
    const status = statusOf({ fleet: 'site', node: 'north', state: 'member' }, facts(), cameras, (name) =>
      name === 'south' ? -1234.4 : undefined,
    );
    assert.deepEqual(fleetText(status, NOW).split('\n'), [
      'node "north" of fleet "site" is a member',
      'no node has taken lane',
      '',
      'NODE   STATE     CAMERAS  LOAD  CORES  CAPACITY  VERSION  CONFIGURATION  CLOCK',
      'north  member          2  75 %   0.15         2    1.0.0  abc            -',
      'south  draining        1  75 %      -         1    1.0.0  abc            -1234 ms',
      '',
      'CAMERA  NODE   SINCE  FROM  REASON',
      'door    north  5s     -     new',
      'gate    north  1s     lost  node-lost',
      'yard    south  1m 5s  -     new',
    ]);
  });

  test('says what this node waits for if etcd has not answered', () => {
    const status = statusOf(
      { fleet: 'site', node: 'north', state: 'joining' },
      new Facts(keys),
      [],
      () => undefined,
    );
    assert.deepEqual(fleetText(status, NOW).split('\n'), ['node "north" of fleet "site" is joining']);
  });

  test('gives the reason from the state of the previous node', () => {
    const found = facts();
    for (const [id, because] of [
      ['door', 'balance'],
      ['yard', 'drain'],
    ] as const) {
      found.apply([{ kind: 'delete', key: keys.camera(id) }]);
      assert.equal(found.pastOf(id).because, because);
    }
    found.apply([{ kind: 'delete', key: keys.node('south') }]);
    assert.equal(found.pastOf('yard').because, 'drain', 'it has drained');
    assert.deepEqual(found.pastOf('other'), { because: 'new' });
  });
});
