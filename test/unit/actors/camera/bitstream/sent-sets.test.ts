/** Keyframes as the receiver's ffmpeg gives them: the parameter sets of the description precede those the camera sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nalUnits } from '../../../../../src/actors/camera/bitstream/nal';
import { SentSets } from '../../../../../src/actors/camera/bitstream/sent-sets';

/** From x264, 320x180 and 640x360, with their picture parameter sets. */
const SMALL = ['6764000cacb40a0cfcf0800000030080000019078a1550', '68ef0fcb'];
const LARGE = ['6764001eacb405017fcb080000030008000003019078b1', '68ef039cb0'];
const DELIMITER = '0910';
const MESSAGE = '0605aa80';
const IDR = '65888207ff16db';
const INTRA = '4188a86f0b61f7';

const unit = (...nals: string[]) => Buffer.from(nals.map((nal) => `000001${nal}`).join(''), 'hex');
const hex = (bytes: Buffer) => [...nalUnits(bytes)].map((nal) => nal.toString('hex'));

describe('the parameter sets of a keyframe', () => {
  it('stay as they came if each is present once', () => {
    const sets = new SentSets('h264');
    for (const nals of [
      [DELIMITER, ...SMALL, IDR],
      [IDR],
      [...LARGE, MESSAGE, IDR, IDR],
      [...LARGE, INTRA],
    ]) {
      const came = unit(...nals);
      assert.equal(sets.apply(came), came);
    }
  });

  it('are the last of each, once, and everything else keeps its order', () => {
    const sets = new SentSets('h264');
    const came = unit(...SMALL, DELIMITER, ...LARGE, MESSAGE, IDR, IDR);
    assert.deepEqual(hex(sets.apply(came)), [...LARGE, DELIMITER, MESSAGE, IDR, IDR]);
  });

  it('are those that the stream sent last if a coded sequence continues and only the description is repeated', () => {
    const sets = new SentSets('h264');
    sets.apply(unit(...SMALL, ...LARGE, IDR));
    assert.deepEqual(hex(sets.apply(unit(...SMALL, INTRA))), [...LARGE, INTRA]);
  });

  it('are those of the description until the stream has sent some', () => {
    const sets = new SentSets('h264');
    for (const slice of [INTRA, IDR, INTRA]) {
      const came = unit(...SMALL, slice);
      assert.equal(sets.apply(came), came);
    }
  });

  it('are those of the description again if a coded sequence begins with them', () => {
    const sets = new SentSets('h264');
    sets.apply(unit(...SMALL, IDR));
    sets.apply(unit(...SMALL, ...LARGE, IDR));
    assert.deepEqual(hex(sets.apply(unit(...SMALL, ...SMALL, IDR))), [...SMALL, IDR]);
    const after = unit(...SMALL, INTRA);
    assert.equal(sets.apply(after), after);
  });

  it('are left alone in a codec that has none', () => {
    const came = unit(...SMALL, ...SMALL, IDR);
    assert.equal(new SentSets('mjpeg').apply(came), came);
  });
});
