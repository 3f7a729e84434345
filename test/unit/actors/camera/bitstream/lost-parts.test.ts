import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameNumbers, SliceLayout } from '../../../../../src/actors/camera/bitstream/lost-parts';

/** Whether each picture follows a lost one: numbers, where `-` marks a picture that none is predicted from, `!` a keyframe. */
function gaps(numbers: string, mayGap = false): boolean[] {
  const frames = new FrameNumbers();
  return numbers.split(' ').map((text) =>
    frames.hasGap({
      ...{ number: Number.parseInt(text, 10), bits: 4, mayGap },
      ...{ begins: text.endsWith('!'), isReference: !text.endsWith('-') },
    }),
  );
}

describe('frame numbers', () => {
  for (const [what, numbers, expected] of [
    ['in a row have no gap', '0! 1 2 3', []],
    ['wrap', '0! 15! 0 1', []],
    ['with one missing have a gap there alone', '0! 1 3 4', [2]],
    ['of non-reference pictures equal that of the next', '0! 1- 1- 1 2- 2', []],
    ['of such a picture show that one before it is missing', '0! 2- 2', [1, 2]],
    ['start again with a keyframe', '0! 1 9! 10', []],
    ['before the first keyframe are not known', '5 6 0!', []],
  ] as const)
    it(what, () => {
      const found = gaps(numbers).flatMap((has, i) => (has ? [i] : []));
      assert.deepEqual(found, expected);
    });

  it('may have gaps if the stream says so', () => {
    assert.ok(!gaps('0! 1 3 7', true).includes(true));
  });
});

describe('the slices of a picture', () => {
  const usual = [0, 20, 40, 60];
  const after = (count: number, starts: readonly number[]) => {
    const layout = new SliceLayout();
    for (let i = 0; i < count; i++) assert.ok(!layout.lacks(usual));
    return layout.lacks(starts);
  };

  it('lack one that all previous pictures had', () => {
    assert.ok(after(10, [0, 20, 60]));
    assert.ok(after(10, [0, 20, 40]));
  });

  it('lack none if they were rarely the same', () => {
    assert.ok(!after(2, [0, 20, 60]));
  });

  it('lack none if they begin elsewhere', () => {
    assert.ok(!after(10, [0, 30]));
  });
});
