import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlatnessJudge } from '../../../../../src/actors/camera/pictures/flatness';
import { POINTS } from '../../../../../src/actors/camera/pictures/thumbnail';

const tone = (level: number) => Buffer.alloc(POINTS, level);
/** A scene with levels from the first to the last. */
const scene = (from: number, to: number) =>
  Buffer.from(Array.from({ length: POINTS }, (_, i) => from + (i % (to - from + 1))));

function kinds(pictures: readonly Buffer[]): (string | undefined)[] {
  const judge = new FlatnessJudge();
  return pictures.map((grey) => judge.judge(grey)?.kind);
}

describe('a picture of one tone', () => {
  for (const [what, level, kind] of [
    ['without light', 0, 'black'],
    ['of a covered sensor', 3, 'black'],
    ['of black in limited range', 16, 'black'],
    ['of a night that an encoder has flattened', 5, 'healthy'],
    ['of a dead sensor', 90, 'grey'],
    ['of a decoder without data', 128, 'grey'],
    ['of snow that an encoder has flattened', 252, 'healthy'],
    ['of a blinded sensor', 255, 'grey'],
    ['of white in limited range', 235, 'grey'],
  ] as const)
    it(`${what} is ${kind === 'healthy' ? 'no fault, but not sure to be none' : kind}`, () => {
      assert.deepEqual(kinds([tone(level)]), [kind]);
      const { confidence = 0 } = new FlatnessJudge().judge(tone(level)) ?? {};
      assert.equal(confidence < 99, kind === 'healthy');
    });

  it('is flattened fog if there was fog before', () => {
    assert.deepEqual(kinds([scene(177, 182), tone(180)]), [undefined, 'healthy']);
  });

  it('is not flattened fog if its tone differs from the fog before', () => {
    assert.deepEqual(kinds([scene(177, 182), tone(128)]), [undefined, 'grey']);
  });

  it('is not the previous scene if that had all its contrast', () => {
    assert.deepEqual(kinds([scene(60, 200), tone(130)]), [undefined, 'grey']);
  });

  it('is what is left of fog, and so is one tone behind it, where it has two neighbouring ones', () => {
    assert.deepEqual(kinds([scene(180, 181), tone(180)]), ['healthy', 'healthy']);
    assert.deepEqual(kinds([scene(0, 1)]), ['black']);
    assert.deepEqual(kinds([scene(254, 255)]), ['grey']);
  });

  it('is a blind camera if it lasts', () => {
    const all = kinds([scene(177, 182), ...Array.from({ length: 40 }, () => tone(180))]);
    assert.equal(all.at(-1), 'grey');
  });
});

describe('a dark picture', () => {
  it('with noise around no light is black', () => {
    assert.deepEqual(kinds([scene(0, 5)]), ['black']);
  });

  it('with noise around more light is a scene', () => {
    assert.deepEqual(kinds([scene(2, 9)]), [undefined]);
  });
});
