/** The colours of a chart in every coding a camera may have, and its shape in every size and turn, as tables. */
import type { CameraSpec } from '../../src/config/topology';
import { markdownTable } from '../markdown-table';
import { chartError, encodeChart, storeChart, type Chart } from './chart';

const FORMATS = ['jpeg', 'png', 'webp'] as const;
/** Levels of 255: what the error of a chart is to stay within. */
export const MOST_MEAN = 1;
export const MOST_PATCH = 4;

const both = ['h264', 'hevc'] as const;
const ranges = ['tv', 'pc'] as const;
const yuvs = ['yuv420p', 'yuv422p', 'yuv444p', 'yuv420p10le', 'yuv422p10le', 'yuv444p10le'] as const;

/** Where the stream does not say the matrix, it is that which players assume of the size; BT.2020 and full range are never assumed. */
export const CHARTS: readonly Chart[] = [
  ...both.flatMap((codec) => [
    ...ranges.flatMap((range) =>
      yuvs.flatMap((pixels) => [
        { height: 360, matrix: 'bt601' as const, range, pixels, codec },
        { height: 720, matrix: 'bt709' as const, range, pixels, codec },
        { height: 720, matrix: 'bt2020' as const, range, pixels, codec },
      ]),
    ),
    ...ranges.map((range) => ({ height: 720, matrix: 'bt601' as const, range, codec })),
    ...ranges.map((range) => ({ height: 360, matrix: 'bt709' as const, range, codec })),
    { height: 360, matrix: 'bt601' as const, codec, said: false },
    { height: 720, matrix: 'bt709' as const, codec, said: false },
    ...ranges.map((range) => ({ height: 360, matrix: 'bt601' as const, range, pixels: 'gray', codec })),
    { height: 360, matrix: 'bt601' as const, pixels: 'gray10le', codec },
  ]),
  ...(['yuvj420p', 'yuvj422p', 'yuvj444p'] as const).map((pixels) => ({
    ...{ height: 360, matrix: 'bt601' as const, range: 'pc' as const, pixels, codec: 'mjpeg' as const },
  })),
];

export function chartName(chart: Chart): string {
  const { height, matrix, range = 'tv', pixels = 'yuv420p', codec = 'h264', said = true } = chart;
  return `${codec} ${height} ${matrix} ${range} ${pixels}${said ? '' : ', unmarked'}`;
}

/** Mean error and that of the worst patch, of each chart in each format. */
export async function colourTable(): Promise<string> {
  const rows: string[][] = [];
  for (const chart of CHARTS) {
    const coded = await encodeChart(chart);
    const isGrey = chart.pixels?.startsWith('gray') === true;
    const cells: string[] = [];
    for (const format of FORMATS) {
      const { bytes } = await storeChart(coded, { format });
      const { mean, most, white, grey } = await chartError(bytes, { isGrey });
      const isRight = mean <= MOST_MEAN && most <= MOST_PATCH;
      cells.push(`${mean.toFixed(2)} / ${most.toFixed(0)}${isRight ? '' : ' (!)'}`);
      if (format === 'png') cells.push(`${rangeOf(white)}, ${rangeOf(grey)}`);
    }
    rows.push([chartName(chart), ...cells]);
  }
  return markdownTable(['video', 'JPEG', 'PNG', 'white, grey in PNG', 'WebP'], rows);
}

function rangeOf(levels: readonly number[]): string {
  const [least, most] = [Math.min(...levels), Math.max(...levels)];
  return least === most ? String(least) : `${least} to ${most}`;
}

interface Shape {
  readonly what: string;
  readonly chart: Omit<Chart, 'matrix'> & { readonly width: number };
  readonly camera: Partial<CameraSpec>;
  readonly size: string;
  readonly turnedBy?: number;
}

const VGA = { width: 640, height: 360 };
const ANAMORPHIC = { width: 704, height: 288, aspect: '24/11' };

export const SHAPES: readonly Shape[] = [
  { what: 'as it is', chart: VGA, camera: {}, size: '640x360' },
  { what: 'cropped out of blocks', chart: { width: 638, height: 358 }, camera: {}, size: '638x358' },
  { what: 'cropped', chart: { width: 638, height: 358, codec: 'hevc' }, camera: {}, size: '638x358' },
  { what: '1080 lines of 1088', chart: { width: 1920, height: 1080 }, camera: {}, size: '1920x1080' },
  { what: 'odd', chart: { width: 641, height: 361, pixels: 'yuv444p' }, camera: {}, size: '641x361' },
  {
    what: 'odd',
    chart: { width: 641, height: 361, pixels: 'yuv444p', codec: 'hevc' },
    camera: {},
    size: '641x361',
  },
  {
    what: 'odd, passed through',
    chart: { width: 641, height: 361, pixels: 'yuvj420p', range: 'pc', codec: 'mjpeg' },
    camera: {},
    size: '641x361',
  },
  { what: 'wide pixels', chart: ANAMORPHIC, camera: {}, size: '1536x288' },
  { what: 'wide pixels as sent', chart: ANAMORPHIC, camera: { aspect: 'as-sent' }, size: '704x288' },
  { what: 'wide pixels, `width`', chart: ANAMORPHIC, camera: { width: 768 }, size: '768x144' },
  { what: 'high pixels', chart: { width: 720, height: 480, aspect: '8/9' }, camera: {}, size: '720x540' },
  ...([90, 180, 270] as const).map((rotate) => ({
    what: `turned by ${rotate}`,
    chart: VGA,
    camera: { rotate },
    size: rotate === 180 ? '640x360' : '360x640',
    turnedBy: rotate,
  })),
  { what: 'turned, `width`', chart: VGA, camera: { rotate: 90, width: 180 }, size: '180x320', turnedBy: 90 },
  { what: 'turned wide pixels', chart: ANAMORPHIC, camera: { rotate: 270 }, size: '288x1536', turnedBy: 270 },
  { what: '`width`', chart: VGA, camera: { width: 320 }, size: '320x180' },
  { what: 'odd `width`', chart: VGA, camera: { width: 321 }, size: '321x180' },
  { what: 'larger `width`', chart: VGA, camera: { width: 1280 }, size: '640x360' },
];

/** Sizes, and errors at the middles of patches and in the corners, in each format. */
export async function shapeTable(): Promise<string> {
  const rows: string[][] = [];
  for (const { what, chart, camera, size, turnedBy = 0 } of SHAPES) {
    const coded = await encodeChart({ matrix: 'bt601', ...chart });
    const cells: string[] = [];
    for (const format of FORMATS) {
      const { bytes, width, height } = await storeChart(coded, { ...camera, format });
      const { most, atCorners } = await chartError(bytes, { turnedBy });
      const isRight = `${width}x${height}` === size && most <= MOST_PATCH;
      cells.push(`${width}x${height}, ${most} / ${atCorners}${isRight ? '' : ' (!)'}`);
    }
    const { codec = 'h264', aspect } = chart;
    const sent = `${codec} ${chart.width}x${chart.height}${aspect === undefined ? '' : ` ${aspect.replace('/', ':')}`}`;
    rows.push([what, sent, ...cells]);
  }
  return markdownTable(['what', 'sent', 'JPEG', 'PNG', 'WebP'], rows);
}
