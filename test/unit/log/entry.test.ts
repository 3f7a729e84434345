/** Lines of the log as people read them: the time first, the fields last, and no control characters. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { entryOf, hasColours, readableLine } from '../../../src/log/entry';

const LINE = JSON.stringify({
  ...{ time: '2026-11-26T07:00:00.007Z', level: 'info', message: 'it runs', actor: 'camera:gate' },
  ...{ camera: 'gate', pid: 7, code: 'ready' },
});

describe('a readable line', () => {
  it('has the local time with its offset, the level, the author, the sentence and its fields', () =>
    assert.match(
      readableLine(LINE, false),
      /^\d{4}-\d\d-\d\d \d\d:\d\d:00\.007 [+-]\d\d:\d\d info {2}camera:gate\[7\] it runs code=ready$/,
    ));

  it('has only its level coloured', () =>
    assert.match(readableLine(LINE, true), /^[^\u001b]*\u001b\[32minfo \u001b\[0m[^\u001b]*$/));

  it('holds no control character, whatever a camera’s server sent', () => {
    const hostile = JSON.stringify({
      ...(JSON.parse(LINE) as object),
      message: 'a\u001b]0;x\u0007\r\nb\u009bc',
    });
    for (const line of [hostile, 'raw \u001b[2J\rtext'])
      assert.doesNotMatch(readableLine(line, false), /\p{Cc}/u);
  });

  it('of text that is not a line of the log is the text itself', () =>
    assert.equal(readableLine('no JSON', false), 'no JSON'));
});

describe('an entry', () => {
  for (const [what, line] of [
    ['text', 'listening'],
    ['broken JSON', '{"level":"info","mess'],
    ['an object without a message', '{"level":"info"}'],
    ['a message that is not text', '{"level":"info","message":{}}'],
    ['null', 'null'],
  ] as const)
    it(`is not ${what}`, () => assert.equal(entryOf(line), undefined));
});

describe('colours', () => {
  it('are shown on a terminal that has some, unless NO_COLOR says something', () =>
    assert.deepEqual(
      [{}, { NO_COLOR: '' }, { NO_COLOR: '1' }, { TERM: 'dumb' }].map((env) =>
        hasColours({ isTTY: true }, env),
      ),
      [true, true, false, false],
    ));
});
