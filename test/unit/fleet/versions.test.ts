/** Neighbouring versions in one fleet: a rolling upgrade. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulateDay } from '../../../lab/fleet-simulation/day';
import { seededRandom } from '../../../lab/random';
import { Facts, Keys, offered, recordOf, type NodeRecord, type OwnerRecord } from '../../../src/fleet/facts';
import { opened, parsedPublication, published } from '../../../src/fleet/publication';
import { statusOf } from '../../../src/fleet/status';

const keys = new Keys('site');
const LATER = { later: { of: ['the', 'next', 'version'] }, more: 1 };
/** The newest field of each kind of value; the previous version does not have it. */
const LATEST = ['newest', 'clockMs', 'isBalancing', 'cost', 'costs'];

const node: NodeRecord = {
  ...{ id: 'x', address: 'daemon', state: 'member', capacity: 2, version: '1', configuration: 'same' },
  ...{ costs: { gate: 40 }, isBalancing: true, clockMs: 5, beat: 1 },
};
const owner: OwnerRecord = {
  ...{ node: 'a', sinceMs: 1, from: 'b', because: 'balance', cost: 40 },
  ...{ to: 'b', toBecause: 'drain', newest: { at: 3, sequence: 4 } },
};

function next(value: string): string {
  return JSON.stringify({ ...(JSON.parse(value) as object), ...LATER });
}

function previous(value: string): string {
  const fields = Object.entries(JSON.parse(value) as object);
  return JSON.stringify(Object.fromEntries(fields.filter(([name]) => !LATEST.includes(name))));
}

function factsOf(entries: Readonly<Record<string, string>>): Facts {
  const facts = new Facts(keys);
  const place = { createRevision: 1, modRevision: 1, lease: '7' };
  facts.replace(Object.entries(entries).map(([key, value]) => ({ key, value, ...place })));
  return facts;
}

function written(change: (value: string) => string): Facts {
  return factsOf({
    [keys.node('a')]: change(JSON.stringify(node)),
    [keys.node('b')]: change(JSON.stringify({ ...node, id: 'y' })),
    [keys.camera('gate')]: change(JSON.stringify(owner)),
    [keys.permit('3')]: change(JSON.stringify({ node: 'a', camera: 'gate' })),
  });
}

describe('two neighbouring versions in one fleet', () => {
  test('keep every promise through a day of incidents', async (t) => {
    const asWritten = (value: string, name: string) =>
      name === 'n0' ? next(value) : name === 'n1' ? previous(value) : value;
    const day = await simulateDay({
      ...{ nodes: 4, cameras: 40, hours: 0.7 },
      random: seededRandom(t),
      asWritten,
    });
    assert.deepEqual(day.violations, []);
  });

  test('ignore fields that they do not know, and keep those of a camera', () => {
    const [now, later] = [written((value) => value), written(next)];
    const statusBy = (facts: Facts) =>
      statusOf({ fleet: 'site', node: 'a', state: 'member' }, facts, [{ id: 'gate', weight: 1 }], () => 0);
    const [known, unknown] = [statusBy(now), statusBy(later)];
    const plus = <T extends object>(records: readonly T[]) =>
      records.map((record) => ({ ...record, ...LATER }));
    assert.deepEqual(unknown, { ...known, nodes: plus(known.nodes), cameras: plus(known.cameras) });
    assert.deepEqual(later.permits, now.permits);
    const found = later.owners.get('gate');
    assert.ok(found !== undefined);
    assert.deepEqual(offered(recordOf(found), { to: 'c', toBecause: 'balance' }), {
      ...{ node: 'a', sinceMs: 1, from: 'b', because: 'balance', cost: 40 },
      ...{ ...LATER, to: 'c', toBecause: 'balance' },
    });
  });

  test('read values without the newest fields', () => {
    const facts = written(previous);
    assert.deepEqual([...facts.nodes.keys()], ['a', 'b']);
    const { newest: _, cost: __, ...rest } = owner;
    assert.deepEqual(facts.owners.get('gate'), { ...rest, revision: 1, lease: '7' });
    assert.deepEqual(facts.costOf('gate'), {});
  });

  test('unseal a configuration with fields that they do not know, and write it again with them', () => {
    const key = Buffer.alloc(32, 1);
    const shared = { cameras: [{ id: 'gate', url: 'rtsp://u:secret@camera.example/1' }] };
    const head = { revision: 1, node: 'a', atMs: 1, after: undefined };
    const publication = published('site', shared, head, key);
    const later = parsedPublication(next(JSON.stringify(publication)));
    assert.ok(later !== undefined);
    assert.deepEqual(opened('site', later, key), shared);
    assert.deepEqual(later, { ...(JSON.parse(JSON.stringify(publication)) as object), ...LATER });
    const first = parsedPublication(JSON.stringify({ ...publication, after: undefined, atMs: undefined }));
    assert.ok(first !== undefined);
    assert.deepEqual(opened('site', first, key), shared);
  });

  test('ignore keys that are not theirs', () => {
    const values = ['', 'null', '5', '[]', '{}', '{"node":5,"sinceMs":1}', '{"state":"member"}'];
    for (const value of [...values, JSON.stringify({ ...node, capacity: 0 })]) {
      const facts = factsOf({ [keys.node('a')]: value, [keys.camera('gate')]: value });
      assert.deepEqual([facts.nodes.size, facts.owners.size], [0, 0], value);
    }
  });
});
