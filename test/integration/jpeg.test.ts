/** JPEGs read without decoding: the size and wholeness of real pictures, whole and cut. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { readJpeg, withHuffmanTables } from '../../src/actors/camera/bitstream/jpeg';
import { encodedUnits } from '../../lab/encoded-units';
import { withoutTables } from '../../lab/without-tables';

describe('readJpeg', async () => {
  const [picture] = await encodedUnits({
    source: 'testsrc2=size=640x360:rate=1',
    seconds: 1,
    codec: 'mjpeg',
  });
  assert.ok(picture !== undefined);
  const real = picture;

  it('reads the size of a whole picture, and accepts the padding of cameras', () => {
    assert.deepEqual(readJpeg(real), { width: 640, height: 360, whole: true });
    assert.deepEqual(readJpeg(Buffer.concat([real, Buffer.alloc(20), Buffer.from('\r\n')]))?.whole, true);
  });

  it('does not consider a picture cut anywhere whole', () => {
    for (let length = 0; length < real.length - 1; length += 97)
      assert.ok(readJpeg(real.subarray(0, length))?.whole !== true, `cut at ${length}`);
  });

  it('reads the size that a header states, however large', () => {
    const giant = Buffer.from(real);
    const frame = giant.indexOf(Buffer.from([0xff, 0xc0]));
    giant.writeUInt16BE(20_000, frame + 5);
    giant.writeUInt16BE(20_000, frame + 7);
    assert.deepEqual(readJpeg(giant), { width: 20_000, height: 20_000, whole: true });
  });
});

describe('withHuffmanTables', async () => {
  const [picture] = await encodedUnits({
    source: 'testsrc2=size=320x240:rate=1',
    seconds: 1,
    codec: 'mjpeg',
  });
  assert.ok(picture !== undefined);
  const bare = withoutTables(picture);

  it('leaves a picture that has its tables unchanged', () => {
    assert.equal(withHuffmanTables(picture), picture);
    const cut = picture.subarray(0, 100);
    assert.equal(withHuffmanTables(cut), cut);
  });

  it('adds the standard tables if there are none, and changes nothing else', async () => {
    const standard = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#486' } })
      .jpeg({ optimiseCoding: false })
      .toBuffer();
    // libjpeg writes the standard tables: the picture is the same after they are removed and added again.
    const before = await sharp(standard).raw().toBuffer();
    const mended = withHuffmanTables(withoutTables(standard));
    assert.ok((await sharp(mended).raw().toBuffer()).equals(before));
    assert.ok(mended.includes(Buffer.from([0xff, 0xc4])));
    assert.ok(withHuffmanTables(bare).length > bare.length);
    assert.equal(withHuffmanTables(mended), mended);
  });

  it('calls a picture that is padded after its end whole, but not a cut one', () => {
    for (const length of [1, 513, 70_000])
      assert.equal(readJpeg(Buffer.concat([picture, Buffer.alloc(length, 0x55)]))?.whole, true);
    assert.equal(readJpeg(Buffer.concat([picture.subarray(0, -2), Buffer.alloc(513)]))?.whole, false);
  });
});
