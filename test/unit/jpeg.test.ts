/** JPEGs read without decoding: size and wholeness, of real pictures and of what is left of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJpeg } from '../../src/actors/camera/jpeg';
import { encodedUnits } from './support/encoded-units';

describe('readJpeg', async () => {
  const [picture] = await encodedUnits({
    source: 'testsrc2=size=640x360:rate=1',
    seconds: 1,
    codec: 'mjpeg',
  });
  assert.ok(picture !== undefined);
  const real = picture;

  it('reads the size of a whole picture, and takes what cameras fill up with', () => {
    assert.deepEqual(readJpeg(real), { width: 640, height: 360, whole: true });
    assert.deepEqual(readJpeg(Buffer.concat([real, Buffer.alloc(20), Buffer.from('\r\n')]))?.whole, true);
  });

  it('finds a picture cut anywhere not to be whole', () => {
    for (let length = 0; length < real.length - 1; length += 97)
      assert.ok(readJpeg(real.subarray(0, length))?.whole !== true, `cut at ${String(length)}`);
  });

  it('reads the size a header tells of, however large', () => {
    const giant = Buffer.from(real);
    const frame = giant.indexOf(Buffer.from([0xff, 0xc0]));
    giant.writeUInt16BE(20_000, frame + 5);
    giant.writeUInt16BE(20_000, frame + 7);
    assert.deepEqual(readJpeg(giant), { width: 20_000, height: 20_000, whole: true });
  });
});
