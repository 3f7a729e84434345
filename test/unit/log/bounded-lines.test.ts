/** Log lines for a reader that does not read: lost lines are counted and reported, and memory stays bounded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BoundedLines } from '../../../src/log/lines';

function stuckReader() {
  const taken: string[] = [];
  const sink = {
    writableLength: 0,
    write: (text: string) => {
      taken.push(text);
      sink.writableLength += text.length;
    },
  };
  return { sink, taken, lines: new BoundedLines(sink, (count) => `lost ${count}`) };
}

describe('BoundedLines', () => {
  it('keeps about a megabyte for a reader that is stuck, whatever is logged', () => {
    const { sink, lines } = stuckReader();
    for (let i = 0; i < 100_000; i++) lines.write('x'.repeat(99));
    assert.ok(
      sink.writableLength > 1_000_000 && sink.writableLength < 1_100_000,
      String(sink.writableLength),
    );
  });

  it('reports how many lines are missing, once, at their place', () => {
    const { sink, taken, lines } = stuckReader();
    for (let i = 0; i < 20_000; i++) lines.write('x'.repeat(99));
    const lost = 20_000 - taken.length;
    sink.writableLength = 0;
    lines.write('next');
    lines.write('after');
    assert.deepEqual(taken.slice(-3), [`lost ${lost}\n`, 'next\n', 'after\n']);
  });
});
