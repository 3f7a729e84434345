/** Which cameras the wall shows, and in what order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiCamera, CameraCondition } from '../../../src/actors/web/view/api';
import { CONDITIONS, sentence } from '../../../web/conditions.js';
import { EVERYTHING, type Choice } from '../../../web/route.js';
import { select, tagCounts } from '../../../web/selection.js';

function camera(id: string, condition: CameraCondition, more: Partial<ApiCamera> = {}): ApiCamera {
  return { id, condition, tags: [], since: 0, rate: 1, wantedRate: 1, restarts: 0, ...more };
}

const picture = (capturedAt: number) => ({ picture: { capturedAt, width: 1, height: 1, format: 'jpeg' } });
const ALL = [
  camera('cam10', 'delivering', { tags: ['north'], ...picture(5) }),
  camera('cam2', 'delivering', { tags: ['north', 'gate'], ...picture(900) }),
  camera('cam3', 'offline', {
    fault: { code: 'refused', message: 'Port 554 refuses connections' },
    ...picture(100),
  }),
  camera('cam4', 'disabled'),
  camera('cam5', 'quarantined', { tags: ['gate'], ...picture(50) }),
];

const ids = (choice: Partial<Choice>, shares = new Map<string, number>()) =>
  select(ALL, { ...EVERYTHING, ...choice }, shares).map(({ id }) => id);

describe('the wall', () => {
  const rows: readonly [string, Partial<Choice>, string[]][] = [
    ['begins with what does not deliver', {}, ['cam3', 'cam5', 'cam2', 'cam10', 'cam4']],
    [
      'is sorted by name with numbers as numbers',
      { sort: 'name' },
      ['cam2', 'cam3', 'cam4', 'cam5', 'cam10'],
    ],
    [
      'is sorted by the age of pictures; those that deliver are alike',
      { sort: 'age' },
      ['cam4', 'cam5', 'cam3', 'cam2', 'cam10'],
    ],
    ['shows the chosen states', { conditions: ['offline', 'disabled'] }, ['cam3', 'cam4']],
    ['shows what has all of the tags', { tags: ['north', 'gate'] }, ['cam2']],
    ['searches names', { search: 'CAM1' }, ['cam10']],
    ['searches tags', { search: 'gate' }, ['cam5', 'cam2']],
    ['searches faults for each word', { search: ' refuses  port ' }, ['cam3']],
    ['shows nothing where nothing matches', { search: 'gate', conditions: ['offline'] }, []],
  ];
  for (const [what, choice, expected] of rows) test(what, () => assert.deepEqual(ids(choice), expected));

  test('is sorted by coverage, unknown coverage last', () => {
    const shares = new Map([
      ['cam10', 0.5],
      ['cam2', 0.9],
    ]);
    assert.deepEqual(ids({ sort: 'coverage' }, shares).slice(0, 2), ['cam10', 'cam2']);
  });
});

test('tags are counted', () => {
  assert.deepEqual(tagCounts(ALL), [
    ['gate', 2],
    ['north', 2],
  ]);
});

test('every condition has its place in the order', () => {
  assert.equal(new Set(CONDITIONS).size, 6);
});

test('a fault phrased to follow a name becomes a sentence', () => {
  assert.equal(sentence('its process ended'), 'Its process ended.');
  assert.equal(sentence('a queue is full'), 'A queue is full.');
  assert.equal(sentence('rtsp://10.0.0.1/x refuses connections'), 'rtsp://10.0.0.1/x refuses connections.');
  assert.equal(sentence('cam.local:554 refuses connections'), 'cam.local:554 refuses connections.');
  assert.equal(sentence('Check it.'), 'Check it.');
  assert.equal(sentence(''), '');
});
