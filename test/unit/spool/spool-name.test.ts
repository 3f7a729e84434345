/** Verdict and clock outlive the store in the spooled file's name; names of older versions stay readable. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { VERDICTS } from '../../../src/contract/verdict';
import { parseSpoolName, spoolName } from '../../../src/spool/names';

const FRAME: Frame = {
  ...{ camera: 'gate', capturedAt: 1_795_381_133_042, sequence: 1_795_381_133 },
  ...{ width: 1920, height: 1080, format: 'jpeg', bytes: 301_442 },
};

describe('a spool name', () => {
  for (const kind of VERDICTS)
    it(`brings back the verdict "${kind}"`, () => {
      const frame: Frame = { ...FRAME, verdict: { kind, confidence: 95 } };
      assert.deepEqual(parseSpoolName('gate', spoolName(frame)), frame);
    });

  it('of an older version has none', () => {
    assert.deepEqual(parseSpoolName('gate', '1795381133042-1795381133-1920x1080-301442.jpg'), FRAME);
    assert.deepEqual(parseSpoolName('gate', '1795381133042-1795381133-1920x1080-301442-torn95.jpg'), {
      ...FRAME,
      verdict: { kind: 'torn', confidence: 95 },
    });
  });

  it('brings back whose clock it was, with and without a skew, beside a verdict', () => {
    const verdict = { kind: 'healthy', confidence: 90 } as const;
    for (const clock of [
      { clock: 'camera', clockSkewMs: -120 },
      { clock: 'camera', clockSkewMs: 0 },
      { clock: 'arrival', clockSkewMs: 3_600_000 },
      { clock: 'arrival' },
      { clock: 'arrival', clockUnset: true },
      { clock: 'arrival', clockSkewMs: -7, clockUnset: true, linkDelayMs: 5230 },
      { clock: 'camera', clockSkewMs: -120, linkDelayMs: 501 },
      { clock: 'camera', linkDelayMs: 1 },
    ] as const)
      for (const frame of [
        { ...FRAME, ...clock },
        { ...FRAME, ...clock, verdict },
      ])
        assert.deepEqual(parseSpoolName('gate', spoolName(frame)), frame);
  });

  it('brings back what the camera sent, and how it is still to be turned', () => {
    for (const source of [
      { sourceWidth: 3840, sourceHeight: 2160 },
      { sourceWidth: 704, sourceHeight: 288, rotation: 90 },
      { rotation: 270 },
    ] as const)
      for (const frame of [
        { ...FRAME, ...source },
        { ...FRAME, ...source, verdict: { kind: 'torn', confidence: 95, reason: 'cut' } as const },
      ])
        assert.deepEqual(parseSpoolName('gate', spoolName(frame)), frame);
  });

  for (const name of ['of0x1080', 'of1920x', 'of1920', 'r45', 'r0', 'r90of1920x1080'])
    it(`with "${name}" for what the camera sent is invalid`, () => {
      assert.equal(parseSpoolName('gate', `1795381133042-1795381133-1920x1080${name}-301442.jpg`), undefined);
    });

  for (const word of [
    '_moon',
    '_camera0',
    '_camera-0',
    '_camera+007',
    '_camera+',
    '_+3',
    '_arrival_camera',
    '_camerad0',
    '_camerad007',
    '_cameradu',
    '_arrivald-3',
  ])
    it(`with "${word}" for a clock is invalid`, () => {
      const name = `1795381133042-1795381133-1920x1080-301442${word}.jpg`;
      assert.equal(parseSpoolName('gate', name), undefined);
    });

  for (const word of ['odd50', 'torn101', 'torn050', 'torn'])
    it(`with "${word}" for a verdict is invalid`, () =>
      assert.equal(
        parseSpoolName('gate', `1795381133042-1795381133-1920x1080-301442-${word}.jpg`),
        undefined,
      ));
});
