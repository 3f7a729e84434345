/** Pictures for viewers: JPEGs of the requested size, from every stored format. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { Gallery } from '../../src/actors/web/pictures/gallery';
import type { Frame, FrameFormat } from '../../src/contract/frame';
import { NewestLink } from '../../src/spool/newest';
import { Spool } from '../../src/spool/spool';
import { findProgram } from '../../src/os/orphans';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';

const dir = mkdtempSync(path.join(tmpdir(), 'vigil-viewed-'));
after(() => rmSync(dir, { recursive: true }));

describe('a picture for viewers', () => {
  const [spoolDir, newestDir] = [path.join(dir, 'spool'), path.join(dir, 'newest')];
  const spool = new Spool(spoolDir, path.join(dir, 'memory'));
  let sequence = 0;

  async function take(bytes: Buffer, format: FrameFormat): Promise<Frame> {
    const frame: Frame = {
      ...{ camera: `${format}-${++sequence}`, capturedAt: Date.now(), sequence, format, bytes: bytes.length },
      ...{ width: CLIP_DEFAULTS.width, height: CLIP_DEFAULTS.height },
    };
    await spool.write(frame, bytes);
    await new NewestLink(newestDir, spoolDir, frame.camera).set(frame);
    await spool.remove(frame);
    return frame;
  }
  async function keyframe(codec: 'h264' | 'h265'): Promise<Buffer> {
    const bytes = await readFile(await clip({ codec }));
    return bytes.subarray(0, bytes.indexOf(bytes.subarray(0, codec === 'h264' ? 5 : 6), 6));
  }
  const picture = (format: 'jpeg' | 'png' | 'webp') =>
    sharp({ create: { width: 640, height: 360, channels: 3, background: '#3366aa' } })
      .toFormat(format)
      .toBuffer();
  const gallery = new Gallery(newestDir, () => findProgram('ffmpeg') ?? 'ffmpeg');

  for (const format of ['jpeg', 'png', 'webp', 'h264', 'h265'] as const)
    it(`is a JPEG of the requested size if ${format} is stored`, async () => {
      const bytes = format === 'h264' || format === 'h265' ? await keyframe(format) : await picture(format);
      const frame = await take(bytes, format);
      for (const [wish, width] of [
        [undefined, 640],
        [300, 320],
        [1280, 640],
      ] as const) {
        const { jpeg } = await gallery.make(frame, wish);
        const found = await sharp(jpeg).metadata();
        assert.deepEqual([found.format, found.width, found.height], ['jpeg', width, (width * 9) / 16]);
      }
    });

  it('is made once for all who ask at the same time', async () => {
    const frame = await take(await keyframe('h264'), 'h264');
    const made = await Promise.all(Array.from({ length: 20 }, () => gallery.make(frame, 160)));
    assert.equal(new Set(made.map(({ jpeg }) => jpeg)).size, 1);
  });

  it('that cannot be decoded is an error, not an older picture', async () => {
    const frame = await take(Buffer.from('#EXTM3U file:///etc/passwd'), 'h264');
    await assert.rejects(gallery.make(frame, undefined), { status: 404, code: 'undecodable' });
    const cut = await take(Buffer.from('no picture'), 'jpeg');
    await assert.rejects(gallery.make(cut, 160), { status: 404, code: 'undecodable' });
  });

  it('reports a missing ffmpeg', async () => {
    const frame = await take(await keyframe('h264'), 'h264');
    await assert.rejects(
      new Gallery(newestDir, () => '/nowhere/ffmpeg').make(frame, 160),
      /cannot be shown: .*ffmpeg/,
    );
  });
});
