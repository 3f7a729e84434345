import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headRotation } from '../../../../../src/actors/camera/ffmpeg/movie-rotation';

function box(type: string, ...content: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

function track(handler: string, version: 0 | 1, matrix: readonly number[]): Buffer {
  const header = Buffer.alloc(version === 0 ? 84 : 96);
  header[0] = version;
  const at = version === 0 ? 40 : 52;
  for (const [i, value] of matrix.entries()) header.writeInt32BE(value * 65_536, at + 4 * i);
  const kind = Buffer.alloc(24);
  kind.write(handler, 8, 'latin1');
  return box('trak', box('tkhd', header), box('mdia', box('hdlr', kind)));
}

const SOUND = track('soun', 0, [1, 0, 0, 0, 1]);
const head = (...tracks: readonly Buffer[]) =>
  Buffer.concat([box('ftyp', Buffer.alloc(16)), box('moov', box('mvhd', Buffer.alloc(100)), ...tracks)]);

describe('the header of a fragmented MP4', () => {
  for (const version of [0, 1] as const)
    it(`says how the first video is turned, and whether it is mirrored, in version ${version}`, () => {
      const quarter = head(SOUND, track('vide', version, [0, 1, 0, -1, 0]));
      assert.deepEqual(headRotation(quarter), { mirrored: false, degrees: 90 });
      const mirrored = head(
        track('vide', version, [-1, 0, 0, 0, 1]),
        track('vide', version, [1, 0, 0, 0, 1]),
      );
      assert.deepEqual(headRotation(mirrored), { mirrored: true, degrees: 0 });
    });

  it('says nothing without video, or if it is cut', () => {
    assert.equal(headRotation(head(SOUND)), undefined);
    const whole = head(track('vide', 0, [0, 1, 0, -1, 0]));
    const matrixEnd = whole.indexOf('tkhd') + 4 + 40 + 20;
    for (let length = 0; length < matrixEnd; length++)
      assert.equal(headRotation(whole.subarray(0, length)), undefined);
  });
});
