/** What is shown on a terminal: its width and height, colours only where they are wanted, and nothing that flickers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawing } from '../../../src/commands/screen';
import { heightOf, PLAIN, styleOf } from '../../../src/commands/style';
import { tableRows, wrap } from '../../../src/commands/table';

const isColoured = (shown: Parameters<typeof styleOf>[0], env: NodeJS.ProcessEnv) =>
  styleOf(shown, env).paint('red', 'x') !== 'x';

describe('colour', () => {
  const rows: readonly [string, boolean, NodeJS.ProcessEnv, boolean][] = [
    ['is shown on a terminal', true, { TERM: 'xterm' }, true],
    ['is not written to a pipe or a file', false, { TERM: 'xterm' }, false],
    ['is not shown with NO_COLOR, whatever it says', true, { TERM: 'xterm', NO_COLOR: '0' }, false],
    ['is shown where NO_COLOR is empty', true, { NO_COLOR: '' }, true],
    ['is not shown on a dumb terminal', true, { TERM: 'dumb' }, false],
  ];
  for (const [fact, isTTY, env, expected] of rows)
    it(fact, () => assert.equal(isColoured({ isTTY }, env), expected));
});

describe('the width', () => {
  for (const [columns, width] of [
    [120, 120],
    [20, 60],
    [500, 160],
    [0, 80],
    [undefined, 80],
  ] as const)
    it(`of a terminal of ${columns ?? 'unknown'} columns is ${width}`, () =>
      assert.equal(styleOf({ isTTY: true, ...(columns === undefined ? {} : { columns }) }, {}).width, width));

  it('of a pipe does not depend on where it leads', () =>
    assert.deepEqual(styleOf({ isTTY: false, columns: 40 }, {}), PLAIN));

  it('is kept by sentences and by tables with long names and long last columns', () => {
    const long = 'word '.repeat(60).trim();
    for (const width of [60, 75, 160]) {
      const rows = tableRows(
        [
          ['A', 'B', 'C'],
          ['n'.repeat(90), 'x', long],
        ],
        width,
      ).flat();
      for (const line of [...wrap(long, '  ', width), ...rows]) assert.ok(line.length <= width, line);
    }
  });
});

describe('a screen', () => {
  it('is redrawn from its corner, each line and the rest to their end, and is never cleared first', () =>
    assert.equal(drawing(['one', 'two'], 5), '\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J'));

  it('that is too low reports how much is missing', () => {
    const lines = ['1', '2', '3', '4', '5'];
    assert.equal(drawing(lines, 5).split('\r\n').length, 5);
    const [first, last, ...rest] = drawing(lines, 2).split('\r\n');
    assert.deepEqual(
      [first, last, rest],
      ['\u001b[H1\u001b[K', '(4 more lines: make the terminal higher, or show less)\u001b[K\u001b[J', []],
    );
  });

  it('has 24 lines if the terminal does not report its height', () =>
    assert.deepEqual([heightOf({}), heightOf({ rows: 0 }), heightOf({ rows: 50 })], [24, 24, 50]));
});
