/** Colours of a chart, encoded as cameras do and read back from the pictures the camera's decoder makes of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { CodedPictures } from '../../src/actors/camera/pictures/coded-pictures';
import { Decoder, type Picture } from '../../src/actors/camera/pictures/decoder';
import { encodePpm } from '../../src/actors/camera/pictures/encode';
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter, type Packet } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { pictureLook } from '../../src/actors/camera/pictures/look';
import type { CameraSpec } from '../../src/config/topology';
import { cameraSpec } from '../../lab/camera-spec';

const NO_SIZE = { width: 0, height: 0 };
/** Greys, the corners of the cube, skin, leaves, sky: what a matrix or a range that is wrong shows on. */
const COLOURS = [
  ...['ffffff', '000000', '808080', '404040', 'c0c0c0', '101010', 'ebebeb', '080808'],
  ...['ff0000', '00ff00', '0000ff', 'ffff00', '00ffff', 'ff00ff', 'e0ac8c', '8d5524'],
  ...['3c7832', '78a0dc', 'c82828', 'f0c814', '145aa0', '6e6e3c', '5a3c6e', 'fa8072'],
];
const [COLUMNS, ROWS] = [8, 3];

interface Chart {
  readonly height: 360 | 720;
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  readonly range?: 'tv' | 'pc';
  readonly pixels?: string;
  readonly codec?: 'h264' | 'hevc';
  /** Whether the stream says its matrix. */
  readonly said?: boolean;
}

const SAID = { bt601: 'smpte170m', bt709: 'bt709', bt2020: 'bt2020nc' };

async function encode(chart: Chart): Promise<Packet[]> {
  const { height, matrix, range = 'tv', pixels = 'yuv420p', codec = 'h264', said = true } = chart;
  const [width, patch] = [(height * 16) / 9, { w: (height * 16) / 9 / COLUMNS, h: height / ROWS }];
  const boxes = COLOURS.map((colour, i) => {
    const at = `x=${(i % COLUMNS) * patch.w}:y=${Math.floor(i / COLUMNS) * patch.h}`;
    return `drawbox=${at}:w=${patch.w}:h=${patch.h}:color=0x${colour}:t=fill`;
  });
  const source = [`color=black:size=${width}x${height}:rate=1,format=gbrp`, ...boxes];
  const scale = `scale=out_color_matrix=${matrix}:out_range=${range}:flags=accurate_rnd+full_chroma_int`;
  const lossy =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '6']
      : ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:qp=6'];
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source.join(',')],
      ...['-vf', `${scale},format=${pixels}`, '-frames:v', '1', ...lossy, '-color_range', range],
      ...(said ? ['-colorspace', SAID[matrix]] : []),
      ...['-map', '0:v', ...toSplitter()],
    ],
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  return new PacketSplitter().push(stdout);
}

async function decode(camera: CameraSpec, codec: string, packets: readonly Packet[]): Promise<Picture> {
  const pictures = new CodedPictures(codec);
  const coded = packets.flatMap((packet) => pictures.push(packet));
  const given: Picture[] = [];
  const faults: Error[] = [];
  const look = pictureLook(camera, { codec, height: 0 }, pictures.reader.format, false);
  const decoder = new Decoder(
    { camera, ffmpeg: 'ffmpeg', codec, look },
    {
      onPicture: (picture) => given.push(picture),
      onLost: () => undefined,
      onFault: (fault) => faults.push(fault),
      onWords: () => undefined,
    },
  );
  for (const { packet } of coded)
    decoder.feed(
      { bytes: pictures.reader.forDecoder(packet.bytes, true), size: NO_SIZE, renews: true },
      { capturedAt: 0, sequence: 0 },
    );
  await decoder.finish();
  assert.deepEqual(faults, []);
  const [picture] = given;
  assert.ok(picture !== undefined);
  return picture;
}

/** Mean and greatest error over the patches' middles, levels of 255. */
async function colourError(bytes: Buffer): Promise<{ mean: number; most: number }> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const errors = COLOURS.flatMap((colour, i) => {
    const [x, y] = [(i % COLUMNS) + 0.5, Math.floor(i / COLUMNS) + 0.5];
    const at = Math.round((y * info.height) / ROWS) * info.width + Math.round((x * info.width) / COLUMNS);
    const expected = Buffer.from(colour, 'hex');
    return [0, 1, 2].map((channel) => Math.abs((data[3 * at + channel] ?? NaN) - (expected[channel] ?? NaN)));
  });
  return { mean: errors.reduce((sum, error) => sum + error, 0) / errors.length, most: Math.max(...errors) };
}

const CHARTS: readonly Chart[] = [
  { height: 360, matrix: 'bt601' },
  { height: 360, matrix: 'bt601', said: false },
  { height: 360, matrix: 'bt601', range: 'pc', pixels: 'yuvj420p' },
  { height: 360, matrix: 'bt709' },
  { height: 720, matrix: 'bt601' },
  { height: 720, matrix: 'bt709' },
  { height: 720, matrix: 'bt709', said: false },
  { height: 720, matrix: 'bt709', range: 'pc', pixels: 'yuvj420p' },
  { height: 720, matrix: 'bt709', pixels: 'yuv422p' },
  { height: 720, matrix: 'bt709', pixels: 'yuv444p' },
  { height: 720, matrix: 'bt709', pixels: 'yuv420p10le' },
  { height: 720, matrix: 'bt2020' },
  { height: 720, matrix: 'bt709', codec: 'hevc' },
  { height: 720, matrix: 'bt2020', codec: 'hevc', pixels: 'yuv420p10le' },
  { height: 360, matrix: 'bt709', codec: 'hevc', range: 'pc', pixels: 'yuvj420p' },
];

describe('colours of a chart', () => {
  for (const chart of CHARTS) {
    const { height, matrix, range = 'tv', pixels = 'yuv420p', codec = 'h264', said = true } = chart;
    const name = `${codec} of ${height} lines, ${matrix} ${range} ${pixels}${said ? '' : ', unmarked'}`;
    it(`${name}, are right in JPEG, PNG and WebP`, async () => {
      const packets = await encode(chart);
      for (const format of ['jpeg', 'png', 'webp'] as const) {
        const { bytes } = await decode(cameraSpec({ format, quality: 95 }), codec, packets);
        const encoded = format === 'jpeg' ? bytes : await encodePpm(bytes, format, 95);
        const { mean, most } = await colourError(encoded);
        assert.ok(mean <= 1 && most <= 5, `${format}: mean ${mean.toFixed(2)}, at most ${most}`);
      }
    });
  }

  it('are by the configured matrix where it is named, whatever the stream says', async () => {
    const packets = await encode({ height: 720, matrix: 'bt601', said: false });
    const [guessed, named] = await Promise.all(
      [cameraSpec({ quality: 95 }), cameraSpec({ quality: 95, matrix: 'bt601' })].map(async (camera) =>
        colourError((await decode(camera, 'h264', packets)).bytes),
      ),
    );
    assert.ok((guessed?.mean ?? 0) > 3, 'without it, 720 lines are BT.709');
    assert.ok((named?.mean ?? NaN) <= 1);
  });
});
