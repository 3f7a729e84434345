/** The arguments of the ffmpeg that decodes, and the encoding of what it makes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UPRIGHT } from '../../../../../src/actors/camera/ffmpeg/rotation';
import { encodePpm } from '../../../../../src/actors/camera/pictures/encode';
import { decoderInvocation } from '../../../../../src/actors/camera/pictures/decoder-arguments';
import type { CameraSpec } from '../../../../../src/config/topology';
import { TEST, FILE, option, specOf, stream } from './specs';

/** The look of pictures that JPEG accepts unchanged. */
const LOOK = { interlaced: false, rotation: UPRIGHT, colours: [] } as const;

/** The arguments of the decoder's last output; the thumbnail's precede it. */
function pictureOutput(args: readonly string[]): readonly string[] {
  return args.slice(args.lastIndexOf('-map'));
}

describe('the decoder', () => {
  it('uses hardware if configured, with the option before its input', () => {
    const args = (changes: Partial<CameraSpec>) =>
      decoderInvocation(specOf(FILE, changes), 'hevc', LOOK).args;
    assert.ok(!args({}).includes('-hwaccel'));
    assert.equal(option(args({ hwaccel: 'vaapi' }), '-hwaccel'), 'vaapi');
    assert.equal(option(args({ hwaccel: 'vaapi' }), '-c:v'), 'hevc');
    assert.equal(option(args({ hwaccel: 'qsv' }), '-c:v'), 'hevc_qsv');
    const given = args({ hwaccel: 'cuda' });
    assert.ok(given.indexOf('-hwaccel') < given.indexOf('-i'));
  });

  const { args } = decoderInvocation(specOf(stream('rtsp://cam/live')), 'hevc', LOOK);
  it('is given the codec, and reads packets that carry their size', () => {
    const input = args.slice(0, args.indexOf('-i'));
    assert.equal(option(input, '-c:v'), 'hevc');
    assert.equal(option(input, '-f'), 'ivf');
    assert.equal(option(args, '-i'), 'pipe:0');
    assert.equal(option(input, '-max_pixels'), '40000000');
  });

  it('uses one thread in all three places: more would delay pictures', () =>
    assert.equal(args.filter((arg, i) => arg === '-threads' && args[i + 1] === '1').length, 3));

  it('encodes only packets marked by an odd time', () => {
    const output = pictureOutput(args);
    assert.match(option(output, '-vf') ?? '', /^select='mod\(pts,2\)',/);
    assert.equal(option(output, '-enc_time_base'), '1/1000');
    assert.equal(option(output, '-fps_mode'), 'passthrough');
  });

  it('scales to the width', () => {
    const scaled = decoderInvocation(specOf(TEST, { width: 640 }), 'h264', LOOK).args;
    assert.match(
      option(pictureOutput(scaled), '-vf') ?? '',
      /,scale=w='min\(iw,640\)':h='if\(lte\(iw,640\),ih,-2\)'$/,
    );
  });

  for (const format of ['png', 'webp'] as const)
    it(`gives uncompressed pictures for ${format}`, () => {
      const output = pictureOutput(decoderInvocation(specOf(TEST, { format }), 'h264', LOOK).args);
      assert.equal(option(output, '-c:v'), 'ppm');
      assert.equal(option(output, '-pix_fmt'), 'rgb24');
    });

  it("quantises by libjpeg's tables, finer with each quality", () => {
    const tables = Array.from({ length: 100 }, (_, i) => {
      const output = pictureOutput(decoderInvocation(specOf(TEST, { quality: i + 1 }), 'h264', LOOK).args);
      assert.equal(option(output, '-c:v'), 'mjpeg');
      assert.equal(option(output, '-q:v'), '8');
      return ['-intra_matrix', '-chroma_intra_matrix'].map((name) =>
        (option(output, name) ?? '').split(',').map(Number),
      );
    });
    for (const [i, both] of tables.entries())
      for (const [k, table] of both.entries()) {
        assert.equal(table.length, 64);
        const before = tables[i - 1]?.[k];
        for (const [at, level] of table.entries())
          assert.ok(level >= 1 && level <= (before?.[at] ?? 255), `quality ${i + 1}: ${table.join()}`);
      }
    assert.deepEqual(
      tables[49]?.map((table) => table.slice(0, 4)),
      [
        [16, 11, 10, 16],
        [17, 18, 24, 47],
      ],
    );
    assert.ok(tables[99]?.flat().every((level) => level === 1));
  });
});

describe('encodePpm', () => {
  const ppm = Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([255, 0, 0, 0, 0, 255])]);

  it('makes a PNG and a WebP', async () => {
    assert.equal((await encodePpm(ppm, 'png', 80)).subarray(1, 4).toString(), 'PNG');
    assert.equal((await encodePpm(ppm, 'webp', 80)).subarray(8, 12).toString(), 'WEBP');
  });

  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff])],
    ['text in colour', Buffer.from('P3\n1 1\n255\n0 0 0')],
    ['16 bits', Buffer.from('P6\n1 1\n65535\n000000')],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(encodePpm(bytes, 'png', 80), { code: 'bad-capture-output' });
    });

  it('refuses half a picture', async () => {
    await assert.rejects(encodePpm(ppm.subarray(0, -1), 'png', 80));
  });
});
