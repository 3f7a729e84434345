/** How pictures say that they are turned: messages of H.264 and H.265, Exif; and angles of any kind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { rotated } from '../../../../../src/actors/camera/ffmpeg/rotation';
import { jpegRotation, readOrientation } from '../../../../../src/actors/camera/bitstream/orientation';

/** A display orientation message: taken back, flipped left to right, upside down, an angle in 1/65536 of a turn. */
function orientation(cancel: number, leftRight: number, upsideDown: number, angle: number): Buffer {
  const bits = `${cancel}${leftRight}${upsideDown}${angle.toString(2).padStart(16, '0')}10000`;
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? []);
}

describe('a turn', () => {
  for (const [degrees, quarter] of [
    [0, 0],
    [90, 90],
    [-90, 270],
    [450, 90],
    [-720, 0],
    [179.2, 180],
    [44, 0],
    [NaN, 0],
    [Infinity, 0],
  ] as const)
    it(`by ${degrees} degrees is one by ${quarter}`, () => {
      assert.deepEqual(rotated(degrees), { mirrored: false, degrees: quarter });
    });

  for (const [what, payload, rotation] of [
    ['a quarter anticlockwise', orientation(0, 0, 0, 16_384), rotated(270)],
    ['three quarters', orientation(0, 0, 0, 49_152), rotated(90)],
    ['both flips', orientation(0, 1, 1, 0), rotated(180)],
    ['one flip', orientation(0, 1, 0, 0), rotated(0, true)],
    ['the other flip', orientation(0, 0, 1, 0), rotated(180, true)],
    ['the end of an earlier one', orientation(1, 0, 0, 16_384), undefined],
    ['half a message', orientation(0, 0, 0, 16_384).subarray(0, 1), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ] as const)
    it(`is read from a message with ${what}`, () => {
      assert.deepEqual(readOrientation(payload), rotation);
    });

  for (let orientation = 1; orientation <= 8; orientation++)
    it(`of a JPEG with Exif orientation ${orientation} makes it what sharp makes of it`, async () => {
      const raw = { width: 16, height: 8, channels: 1 as const };
      const corner = Buffer.from(
        Array.from({ length: 128 }, (_, i) => (i % 16 < 8 && i < 64 ? 255 : i < 64 ? 128 : 0)),
      );
      const jpeg = await sharp(corner, { raw })
        .jpeg({ quality: 100 })
        .withMetadata({ orientation })
        .toBuffer();
      const { mirrored, degrees } = jpegRotation(jpeg) ?? rotated(0);
      const ours = await sharp(await sharp(corner, { raw }).flop(mirrored).png().toBuffer())
        .rotate(degrees)
        .greyscale()
        .raw()
        .toBuffer();
      const theirs = await sharp(jpeg).autoOrient().greyscale().raw().toBuffer();
      assert.equal(ours.length, theirs.length);
      assert.ok(ours.every((level, i) => Math.abs(level - (theirs[i] ?? 0)) < 16));
    });

  it('of a JPEG without Exif, and of data that is not a JPEG, is unknown', async () => {
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const cut = (await sharp(jpeg).withMetadata({ orientation: 6 }).toBuffer()).subarray(0, 20);
    for (const bytes of [jpeg, cut, Buffer.from('no JPEG'), Buffer.alloc(0)])
      assert.equal(jpegRotation(bytes), undefined);
  });
});
