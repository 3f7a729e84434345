/** Keyframes stored as the camera sent them, decoded by the consumer kit. Needs ffmpeg, no servers. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { decodeFrame } from '../../src/consumer';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';

/** The first access unit of a clip, which is a keyframe; each unit begins with a delimiter. */
async function keyframe(codec: 'h264' | 'h265'): Promise<Buffer> {
  const bytes = await readFile(await clip({ codec }));
  const delimiter = bytes.subarray(0, codec === 'h264' ? 5 : 6);
  return bytes.subarray(0, bytes.indexOf(delimiter, 6));
}

describe('a stored keyframe', { concurrency: true }, () => {
  for (const format of ['h264', 'h265'] as const) {
    it(`of ${format} decodes to its pixels`, async () => {
      const { data, width, height, channels } = await decodeFrame(await keyframe(format), format);
      assert.deepEqual([width, height, channels], [CLIP_DEFAULTS.width, CLIP_DEFAULTS.height, 3]);
      assert.equal(data.length, 3 * width * height);
      assert.ok(new Set(data.subarray(0, 30_000)).size > 50, 'a picture, not one colour');
    });
  }

  // ffmpeg accepts a truncated slice of H.265 as a picture.
  it('of h264 that is cut does not count as a picture', async () => {
    const whole = await keyframe('h264');
    await assert.rejects(decodeFrame(whole.subarray(0, whole.length >> 1), 'h264'), { code: 'undecodable' });
  });

  it('is not decoded as another codec', async () => {
    const h264 = await keyframe('h264');
    await assert.rejects(decodeFrame(h264, 'jpeg'), { code: 'undecodable' });
    await assert.rejects(decodeFrame(h264, 'h265'), { code: 'undecodable' });
    await assert.rejects(decodeFrame(Buffer.from('#EXTM3U file:///etc/passwd'), 'h264'), {
      code: 'undecodable',
    });
    await assert.rejects(decodeFrame(Buffer.alloc(0), 'h264'), { code: 'undecodable' });
  });

  it('is not called bad if ffmpeg is missing, which is reported', async () => {
    const h264 = await keyframe('h264');
    await assert.rejects(decodeFrame(h264, 'h264', { ffmpeg: '/nowhere/ffmpeg' }), { code: 'no-ffmpeg' });
  });
});
