/** Which services get an event, and when a queue without a consumer is reported. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdleServices } from '../../../../src/actors/notifier/idle-services';
import { ServiceRoutes } from '../../../../src/actors/notifier/service-routes';
import { matchesWildcard } from '../../../../src/config/wildcard';
import { rounds, seededRandom } from '../../../../lab/random';
import { wantedBy, type Entry } from '../../../../lab/wanted-actors';

const CAMERAS = [{ id: 'gate1', test: 'testsrc2', tags: ['north'] }];

describe('the services that get an event', () => {
  const rows: readonly [string, Entry, string, string[], boolean][] = [
    ['all cameras, where nothing is said', {}, 'yard', [], true],
    ['a camera by its id', { cameras: ['gate1'] }, 'gate1', [], true],
    ['no camera whose id only begins so', { cameras: ['gate1'] }, 'gate12', [], false],
    ['cameras by a pattern', { cameras: ['gate*'] }, 'gate12', [], true],
    ['a pattern in the middle', { cameras: ['n*_1'] }, 'north_1', [], true],
    ['no other than a pattern names', { cameras: ['gate*'] }, 'a-gate', [], false],
    ['a star for no character', { cameras: ['*g*ate1*'] }, 'gate1', [], true],
    ['a piece that occurs twice', { cameras: ['*ab'] }, 'abcab', [], true],
    ['a piece that ends too early', { cameras: ['*ab'] }, 'abc', [], false],
    ['pieces in their order only', { cameras: ['a*b*a'] }, 'ab', [], false],
    ['the second of two patterns', { cameras: ['x*', 'y*d'] }, 'yard', [], true],
    [
      'no camera by a pattern of many stars',
      { cameras: [`${'*a'.repeat(31)}*b`] },
      'a'.repeat(64),
      [],
      false,
    ],
    ['several stars as one', { cameras: ['**'] }, 'x', [], true],
    ['cameras by a tag', { tags: ['north'] }, 'yard', ['south', 'north'], true],
    ['no camera without the tag', { tags: ['north'] }, 'yard', ['south'], false],
    ['cameras by id or tag', { cameras: ['gate1'], tags: ['north'] }, 'yard', ['north'], true],
    ['no event of another kind', { events: ['gap'] }, 'yard', [], false],
  ];
  for (const [name, entry, camera, tags, gets] of rows)
    it(`are for ${name}`, () => {
      const { services } = wantedBy({ cameras: CAMERAS, consumers: { one: entry } }).topology;
      const routes = new ServiceRoutes(services);
      for (const time of ['first', 'second'])
        assert.equal(routes.of(camera, tags, 'frame').length === 1, gets, `${time} event`);
    });

  it('are those of a regular expression with short pieces, for any pattern', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < rounds(5000); i += 1) {
      const pattern = random.text('ab**', 1, 8);
      const camera = random.text('ab', 1, 10);
      const expected = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(camera);
      assert.equal(matchesWildcard(pattern, camera), expected, `${pattern} of ${camera}`);
    }
  });
});

describe('a queue without a consumer', () => {
  it('is reported once it has lasted, and once when it is over; a short pause is not reported', () => {
    const said: string[] = [];
    let nowMs = 0;
    const write = (message: string) => void said.push(message);
    const idle = new IdleServices({ warn: write, info: write }, () => nowMs);
    const look = (consumers: number, atMs: number) => {
      nowMs = atMs;
      idle.look([{ queue: 'v.a', consumers, message: 'nobody' }]);
    };
    look(0, 0);
    look(1, 5000);
    look(0, 6000);
    look(0, 14_000);
    assert.deepEqual(said, []);
    look(0, 16_000);
    look(0, 90_000);
    look(2, 100_000);
    look(2, 110_000);
    assert.deepEqual(said, ['nobody', 'queue v.a has a consumer']);
  });
});
