/** Names of spooled frames. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FRAME_FORMATS, type Frame } from '../../../src/contract/frame';
import { parseSpoolName, spoolName } from '../../../src/spool/names';
import { rounds, seededRandom } from '../../../lab/random';
import { frameOf } from './frames';

describe('a spool name', () => {
  it('holds all that is known of a frame but its camera', () =>
    assert.equal(spoolName(frameOf()), '1700000000123-1700000000-640x360-4.jpg'));

  it('is read back as it was written, for any frame', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < rounds(2000); i++) {
      const frame = frameOf({
        capturedAt: random.between(0, 9_999_999_999_999),
        sequence: random.between(0, 49_999_999_999),
        width: random.between(1, 65_535),
        height: random.between(1, 65_535),
        format: random.pick(FRAME_FORMATS),
        bytes: random.between(1, 134_217_728),
        ...random.pick<Partial<Frame>>([
          {},
          { clock: 'arrival' },
          { clock: 'camera', clockSkewMs: random.between(-2000, 500) },
          { clock: 'arrival', clockSkewMs: random.between(-4e12, 4e12) },
        ]),
      });
      assert.deepEqual(parseSpoolName('gate', spoolName(frame)), frame);
    }
  });

  it('sorts by capture time, whatever the other numbers are', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < rounds(2000); i++) {
      const times = [random.between(0, 2e12), random.between(0, 2e12)].sort((a, b) => a - b);
      const [earlier = '', later = ''] = times.map((capturedAt) =>
        spoolName(frameOf({ capturedAt, sequence: random.between(0, 2e9), bytes: random.between(1, 1e6) })),
      );
      if (times[0] !== times[1]) assert.ok(earlier < later, `${earlier} < ${later}`);
    }
  });

  for (const name of [
    '',
    'damaged',
    'README',
    '.1700000000123-1700000000-640x360-4.jpg.tmp',
    '1700000000123-1700000000-640x360-4.jpg.tmp',
    '1700000000123-1700000000-640x360-4.jpeg',
    '1700000000123-1700000000-640x360-4.gif',
    '1700000000123-1700000000-640x360-4',
    '1700000000123-1700000000-640x360.jpg',
    '170000000012-1700000000-640x360-4.jpg',
    '17000000001234-1700000000-640x360-4.jpg',
    '1700000000123--640x360-4.jpg',
    '1700000000123-1700000000-640x360--4.jpg',
    '1700000000123-1700000000-640x360-4.jpg\n',
    ' 1700000000123-1700000000-640x360-4.jpg',
  ])
    it(`is not ${JSON.stringify(name)}`, () => assert.equal(parseSpoolName('gate', name), undefined));
});
