/** Text that fits a terminal: durations, tables, wrapped sentences. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duration, table, WIDTH, wrap } from '../../../src/commands/table';

describe('a duration', () => {
  const rows: readonly [number, string][] = [
    [-5, '0s'],
    [0, '0s'],
    [999, '0s'],
    [1000, '1s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [61_000, '1m 1s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h'],
    [3_661_000, '1h 1m'],
    [3_601_000, '1h'],
    [90_000_000, '1d 1h'],
    [86_400_000 + 60_000, '1d'],
    [400 * 86_400_000, '400d'],
  ];
  for (const [ms, words] of rows) it(`of ${ms} ms is ${words}`, () => assert.equal(duration(ms), words));
});

describe('a table', () => {
  it('aligns its columns, and has no trailing blanks', () =>
    assert.deepEqual(
      table([
        ['NAME', 'STATE', 'LAST'],
        ['a', 'quarantined', 'a long sentence'],
        ['camera:gate', '-', ''],
      ]),
      ['NAME         STATE        LAST', 'a            quarantined  a long sentence', 'camera:gate  -'],
    ));

  it('keeps each cell on its line, and control characters sent by a camera away from the terminal', () => {
    const said = 'Cannot find module\nRequire stack:\r\n- a\u001b[2Jb';
    assert.deepEqual(table([['a', said, 'c']]), ['a  Cannot find module Require stack: - a [2Jb  c']);
  });

  it('may be empty', () => assert.deepEqual(table([]), []));

  it('right-aligns its numbers', () =>
    assert.deepEqual(
      table([
        ['a', '7', 'x'],
        ['b', '1200', 'y'],
        ['c', '99.50 %', 'z'],
      ]),
      ['a        7  x', 'b     1200  y', 'c  99.50 %  z'],
    ));

  it('is never wider than the terminal: a long name has its own line, and the last column wraps', () => {
    const name = 'camera-'.repeat(12);
    const sentence = 'the camera answered something that takes a long sentence to explain '.repeat(3).trim();
    const lines = table([
      ['NAME', 'STATE', 'FAULT'],
      [name, 'waiting', sentence],
      ['x'.repeat(250), 'waiting', 'https://' + 'y'.repeat(250)],
    ]);
    for (const line of lines) assert.ok(line.length <= WIDTH, line);
    assert.ok(lines.includes(name));
    const words = lines.join(' ').replace(/\s+/g, ' ');
    assert.ok(words.includes(sentence), words);
  });
});

describe('a sentence that wraps', () => {
  it('keeps its words and its indent within every width', () => {
    const sentence =
      'redis at redis://127.0.0.1:6379 refuses connections; check the address and that it runs';
    for (let width = 34; width < 110; width++) {
      const lines = wrap(sentence, '  ', width, '  ');
      for (const line of lines) assert.ok(line.length <= width && line.startsWith('  '), line);
      assert.equal(lines.map((line) => line.trim()).join(' '), sentence);
    }
  });

  it('cuts a word that is longer than a line, and loses nothing of it', () => {
    const url = `rtsp://camera/${'abcdefghij'.repeat(30)}`;
    const lines = wrap(`unhealthy: ${url} is away`, '  ', 40);
    for (const line of lines) assert.ok(line.length <= 40, line);
    assert.equal(lines.join('').replaceAll(' ', ''), `unhealthy:${url}isaway`);
  });
});
