/** A chart of plain colours, encoded as cameras do, and read back from what the camera's decoder makes of it. */
import sharp from 'sharp';
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter, type Packet } from '../../src/actors/camera/ffmpeg/packet-splitter';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import { encodePpm } from '../../src/actors/camera/pictures/encode';
import { PictureMaker } from '../../src/actors/camera/pictures/maker';
import type { CameraSpec } from '../../src/config/topology';
import { cameraSpec } from '../camera-spec';
import { until } from '../until';
import { filtered } from './clips';

/** Greys, the corners of the cube, skin, leaves, sky: what a matrix or a range that is wrong shows on. */
const COLOURS = [
  ...['ffffff', '000000', '808080', '404040', 'c0c0c0', '101010', 'ebebeb', '080808'],
  ...['ff0000', '00ff00', '0000ff', 'ffff00', '00ffff', 'ff00ff', 'e0ac8c', '8d5524'],
  ...['3c7832', '78a0dc', 'c82828', 'f0c814', '145aa0', '6e6e3c', '5a3c6e', 'fa8072'],
].map((hex) => [...Buffer.from(hex, 'hex')]);
const [COLUMNS, ROWS] = [8, 3];

export interface Chart {
  readonly width?: number;
  readonly height: number;
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  readonly range?: 'tv' | 'pc';
  readonly pixels?: string;
  readonly codec?: 'h264' | 'hevc' | 'mjpeg';
  /** Whether the stream says its matrix. */
  readonly said?: boolean;
  /** Width of a pixel for its height. */
  readonly aspect?: string;
}

const SAID = { bt601: 'smpte170m', bt709: 'bt709', bt2020: 'bt2020nc' };
const LOSSY = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '6'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:qp=6'],
  mjpeg: ['-c:v', 'mjpeg', '-q:v', '2'],
} as const;

/** One packet, a keyframe. */
export async function encodeChart(chart: Chart): Promise<{ packets: Packet[]; splitter: PacketSplitter }> {
  const { height, matrix, range = 'tv', pixels = 'yuv420p', codec = 'h264', said = true } = chart;
  const { width = (height * 16) / 9, aspect = '1' } = chart;
  const edge = (i: number, of: number, size: number) => Math.round((i * size) / of);
  const boxes = COLOURS.map((colour, i) => {
    const [column, row] = [i % COLUMNS, Math.floor(i / COLUMNS)];
    const [x, y] = [edge(column, COLUMNS, width), edge(row, ROWS, height)];
    const [w, h] = [edge(column + 1, COLUMNS, width) - x, edge(row + 1, ROWS, height) - y];
    return `drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=0x${Buffer.from(colour).toString('hex')}:t=fill`;
  });
  const source = [`color=black:size=${width}x${height}:rate=1,format=gbrp`, ...boxes];
  const scale = `scale=out_color_matrix=${matrix}:out_range=${range}:flags=accurate_rnd+full_chroma_int`;
  const output = await filtered(
    [
      ...['-f', 'lavfi', '-i', source.join(',')],
      ...['-vf', `${scale},format=${pixels},setsar=${aspect}`, '-frames:v', '1', ...LOSSY[codec]],
      ...[
        '-color_range',
        range,
        ...(said ? ['-colorspace', SAID[matrix]] : []),
        '-map',
        '0:v',
        ...toSplitter(),
      ],
    ],
    [],
  );
  const splitter = new PacketSplitter();
  return { packets: splitter.push(output), splitter };
}

export interface StoredPicture extends Pick<Picture, 'width' | 'height' | 'source'> {
  /** As they are stored. */
  readonly bytes: Buffer;
}

/** As a camera with these settings stores it. @throws Error when it makes no picture of it */
export async function storeChart(
  { packets, splitter }: Awaited<ReturnType<typeof encodeChart>>,
  changes: Partial<CameraSpec>,
): Promise<StoredPicture> {
  const camera = cameraSpec({ quality: 95, ...changes, source: { kind: 'file', path: '/chart' } });
  const [given, faults]: [Picture[], Error[]] = [[], []];
  let lost = 0;
  const maker = new PictureMaker(
    {
      ...{ camera, ffmpeg: 'ffmpeg' },
      onPicture: (picture) => given.push(picture),
      onLost: () => lost++,
      onFault: (fault) => faults.push(fault),
      onStderr: () => undefined,
    },
    splitter.header,
  );
  for (const packet of packets)
    for (const picture of maker.pictures.push(packet))
      maker.take(picture, { kind: 'take', sample: { capturedAt: 0, sequence: 0 } });
  // A decoder that ends has two seconds left.
  await until('the picture of the chart', () => given.length + faults.length + lost > 0);
  await maker.end();
  const [picture] = given;
  if (picture === undefined) throw faults[0] ?? new Error('no picture of the chart');
  const { format } = camera;
  const isRaw = picture.format === 'ppm' && (format === 'png' || format === 'webp');
  const bytes = isRaw ? await encodePpm(picture.bytes, format, camera.quality) : picture.bytes;
  return { bytes, width: picture.width, height: picture.height, source: picture.source };
}

export interface ChartError {
  /** Levels of 255, over the middles of the patches. */
  readonly mean: number;
  readonly most: number;
  /** The greatest at the picture's corners: a border, or what was cropped wrongly. */
  readonly atCorners: number;
  /** What white and grey of 128 are: red, green and blue. */
  readonly white: readonly number[];
  readonly grey: readonly number[];
}

/** Luma of BT.601: what a chart in grey has. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** @param isGrey the stream has no colours. @param turnedBy degrees clockwise the picture was turned by, which is undone */
export async function chartError(
  picture: Buffer,
  { isGrey = false, turnedBy = 0 }: { readonly isGrey?: boolean; readonly turnedBy?: number } = {},
): Promise<ChartError> {
  const upright = await sharp(picture)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width: w, height: h, channels } = upright.info;
  const { data, info } = await sharp(upright.data, { raw: { width: w, height: h, channels } })
    .rotate(360 - turnedBy)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const levels = (x: number, y: number) => [0, 1, 2].map((c) => data[channels * (width * y + x) + c] ?? NaN);
  const expected = COLOURS.map(([red = 0, green = 0, blue = 0]) => {
    const grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
    return isGrey ? [grey, grey, grey] : [red, green, blue];
  });
  const middle = (i: number) =>
    levels(
      Math.floor((((i % COLUMNS) + 0.5) * width) / COLUMNS),
      Math.floor(((Math.floor(i / COLUMNS) + 0.5) * height) / ROWS),
    );
  const offBy = (seen: readonly number[], i: number) =>
    seen.map((level, c) => Math.abs(level - (expected[i]?.[c] ?? NaN)));
  const errors = COLOURS.flatMap((_, i) => offBy(middle(i), i));
  const last = COLOURS.length - COLUMNS;
  const corners = [
    offBy(levels(1, 1), 0),
    offBy(levels(width - 2, 1), COLUMNS - 1),
    offBy(levels(1, height - 2), last),
    offBy(levels(width - 2, height - 2), COLOURS.length - 1),
  ].flat();
  return {
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    most: Math.max(...errors),
    atCorners: Math.max(...corners),
    white: middle(0),
    grey: middle(2),
  };
}
