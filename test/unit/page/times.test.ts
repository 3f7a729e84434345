/** Durations, rates, ages and facts as text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiCamera } from '../../../src/actors/web/view/api';
import { isOld } from '../../../web/ages.js';
import { cameraFacts, skewText } from '../../../web/facts.js';
import { bytesText, duration, moment, rateText, shortDuration, zoneName } from '../../../web/times.js';

const DAY = 86_400_000;

test('durations have two units at most', () => {
  const rows: readonly [number, string, string][] = [
    [-5, '0 s', '0 s'],
    [59_999, '59 s', '59 s'],
    [60_000, '1 min', '1 min'],
    [252_000, '4 min 12 s', '4 min'],
    [3_900_000, '1 h 5 min', '1 h'],
    [2 * DAY + 3_600_000, '2 d 1 h', '2 d'],
  ];
  for (const [ms, long, short] of rows) assert.deepEqual([duration(ms), shortDuration(ms)], [long, short]);
});

test('rates below one in ten seconds are shown per minute', () => {
  assert.deepEqual([1, 0, 0.5, 0.05, 25].map(rateText), ['1.0/s', '0.0/s', '0.5/s', '3.0/min', '25/s']);
});

test('bytes have the unit that fits', () => {
  assert.deepEqual([0, 999, 1500, 999_600, 40_320_000].map(bytesText), [
    '0 B',
    '999 B',
    '1.5 kB',
    '1.0 MB',
    '40 MB',
  ]);
});

test('a moment of another day has its date', () => {
  const midnight = new Date(2026, 10, 28).getTime();
  assert.equal(moment(midnight, midnight + 1), '00:00:00');
  assert.equal(moment(midnight - 1, midnight), 'Fri 27 Nov, 23:59:59');
  assert.equal(moment(midnight + DAY - 1, midnight), '23:59:59');
  assert.equal(moment(midnight + DAY, midnight), 'Sun 29 Nov, 00:00:00');
});

test('the zone is named', () => {
  assert.ok(zoneName(Date.now()).length > 0);
});

describe('a picture is old', () => {
  const rows: readonly [number, number, boolean][] = [
    [4900, 1, false],
    [5100, 1, true],
    [25_000, 0.1, false],
    [31_000, 0.1, true],
    [6000, 25, true],
    [6000, 0, true],
  ];
  for (const [ageMs, rate, old] of rows)
    test(`${old ? '' : 'not '}after ${ageMs} ms at ${rate} a second`, () =>
      assert.equal(isOld(ageMs, rate), old));
});

describe('the facts of a camera', () => {
  const camera: ApiCamera = {
    id: 'a',
    tags: [],
    condition: 'offline',
    since: 0,
    rate: 0,
    wantedRate: 1,
    restarts: 1234,
  };
  const names = (more: Partial<ApiCamera>) =>
    cameraFacts({ ...camera, ...more }, 10_000).map(({ name }) => name);

  test('omit what is not known', () => {
    assert.deepEqual(names({}), ['Rate', 'Last delivery', 'Restarts']);
    assert.deepEqual(
      names({ codec: 'h264', keyframeSeconds: 2, clockSkewMs: 3, sampling: 'every-frame' }).slice(2, -1),
      ['Codec', 'Sampling', 'Keyframe interval', 'Camera clock'],
    );
  });

  test('include the last delivery only if nothing is delivered: events do not report each confirm', () => {
    assert.ok(!names({ condition: 'delivering', confirmedAt: 1 }).includes('Last delivery'));
    const [, last] = cameraFacts({ ...camera, confirmedAt: 3000 }, 10_000);
    assert.equal(last?.text, '7 s ago');
  });

  test('say which way the clock of the camera is off', () => {
    assert.deepEqual([3, -1500, 0.2, 90_000].map(skewText), [
      '3 ms ahead',
      '1,500 ms behind',
      'right',
      '1 min 30 s ahead',
    ]);
  });
});
