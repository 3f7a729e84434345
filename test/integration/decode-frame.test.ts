/** Decoding of stored pictures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeFrame, UndecodableError } from '../../src/consumer';
import { MAX_PIXELS } from '../../src/contract/frame';
import { picture } from '../../lab/one-picture';

describe('decodeFrame', () => {
  const refuses = { code: 'undecodable', name: UndecodableError.name };

  it('refuses a picture of another format than announced, and other formats that sharp reads', async () => {
    await assert.rejects(decodeFrame(await picture('png'), 'jpeg'), refuses);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
    await assert.rejects(decodeFrame(svg, 'png'), refuses);
    await assert.rejects(decodeFrame(Buffer.alloc(0), 'webp'), refuses);
  });

  it('refuses a picture with more pixels than any camera sends', async () => {
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'black' } })
      .png()
      .toBuffer();
    await assert.rejects(decodeFrame(bomb, 'png'), refuses);
  });

  it('accepts a picture with as many pixels as a camera may send, and none with more', async () => {
    const width = 10_000;
    for (const [height, isTaken] of [
      [MAX_PIXELS / width, true],
      [MAX_PIXELS / width + 1, false],
    ] as const) {
      const bytes = await sharp({ create: { width, height, channels: 3, background: 'black' } })
        .jpeg()
        .toBuffer();
      const decoded = decodeFrame(bytes, 'jpeg');
      if (isTaken) assert.equal((await decoded).height, height);
      else await assert.rejects(decoded, refuses);
    }
  });

  it('returns three channels for grey and for transparent pictures', async () => {
    const grey = await sharp(await picture('png'))
      .greyscale()
      .jpeg()
      .toBuffer();
    assert.equal((await decodeFrame(grey, 'jpeg')).channels, 3);
    const transparent = await sharp(await picture('png'))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    assert.equal((await decodeFrame(transparent, 'png')).channels, 3);
  });
});
