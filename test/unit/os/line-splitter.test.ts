/** Lines are whole, wherever the chunks of their stream end. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { LineSplitter, readLines } from '../../../src/os/line-splitter';

const TEXT = 'erste Zeile\n\nzweite: größer\r\nthe last, without its end';

describe('a line splitter', () => {
  it('gives the same lines for every size of chunk', () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const splitter = new LineSplitter();
      const lines: string[] = [];
      for (let at = 0; at < TEXT.length; at += size) lines.push(...splitter.push(TEXT.slice(at, at + size)));
      assert.deepEqual([...lines, splitter.rest], TEXT.split('\n'), `chunks of ${size}`);
    }
  });

  it('keeps the tail of a line that never ends', () => {
    const splitter = new LineSplitter(20);
    for (let i = 0; i < 100; i++) assert.deepEqual(splitter.push(`word${i} `), []);
    assert.ok(splitter.rest.length <= 21, splitter.rest);
    assert.match(splitter.rest, /word99 $/);
  });
});

describe('the lines of a stream', () => {
  it('are whole even if chunks cut characters in two, and the last needs no end', async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    readLines(stream, (line) => lines.push(line));
    for (const byte of Buffer.from(TEXT)) stream.write(Buffer.of(byte));
    stream.end();
    await finished(stream);
    assert.deepEqual(lines, ['erste Zeile', 'zweite: größer\r', 'the last, without its end']);
  });

  it('are none without a stream', () => readLines(null, () => assert.fail('a line')));
});
