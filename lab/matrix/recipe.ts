/** What a clip of the matrix is, and the arguments by which ffmpeg encodes it. Pure. */
import type { SceneKind } from './scene';

export const CLIP_CODECS = ['h264', 'h265', 'mjpeg', 'mpeg4', 'vp8', 'vp9'] as const;
export type ClipCodec = (typeof CLIP_CODECS)[number];

export interface Recipe {
  readonly codec: ClipCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seconds: number;
  /** Seconds from keyframe to keyframe. */
  readonly gopS: number;
  /** Between two pictures of other kinds; `default` leaves all to x265: four, in a pyramid, open groups. */
  readonly bFrames: number | 'default';
  readonly pyramid: 'none' | 'normal' | 'strict';
  /** Pictures behind a keyframe may build on what came before it. */
  readonly openGop: boolean;
  /** No keyframe but the first: a column of whole blocks that runs through the picture, and recovery points. */
  readonly intraRefresh: boolean;
  readonly interlace: 'none' | 'paff' | 'mbaff-tff' | 'mbaff-bff';
  readonly range: 'limited' | 'full';
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  /** Whether the stream says its range and matrix. */
  readonly flagged: boolean;
  readonly scene: SceneKind;
}

export const PLAIN: Recipe = {
  codec: 'h264',
  width: 320,
  height: 180,
  fps: 25,
  seconds: 8,
  gopS: 1,
  bFrames: 0,
  pyramid: 'none',
  openGop: false,
  intraRefresh: false,
  interlace: 'none',
  range: 'limited',
  matrix: 'bt601',
  flagged: true,
  scene: 'moving',
};

/** ffmpeg's and H.273's names for the matrices. */
const FLAGS = {
  bt601: { colorspace: 'smpte170m', color_primaries: 'smpte170m', color_trc: 'smpte170m' },
  bt709: { colorspace: 'bt709', color_primaries: 'bt709', color_trc: 'bt709' },
  bt2020: { colorspace: 'bt2020nc', color_primaries: 'bt2020', color_trc: 'bt2020-10' },
} as const;
const UNFLAGGED = { colorspace: 'unknown', color_primaries: 'unknown', color_trc: 'unknown' } as const;

/** A short name that distinguishes recipes, for a file. */
export function recipeName(recipe: Recipe): string {
  const changed = Object.entries(recipe).filter(([key, value]) => value !== PLAIN[key as keyof Recipe]);
  const parts = changed.map(([key, value]) => `${key}-${String(value)}`);
  return parts.length === 0 ? 'plain' : parts.join('_');
}

/** Frames the decoder has to hold before it may show one. */
export function reorderFrames({ bFrames, pyramid, codec }: Recipe): number {
  // x265's default: four B-frames with a pyramid.
  if (bFrames === 'default') return 2;
  if (bFrames === 0 || codec === 'mjpeg' || codec === 'vp8' || codec === 'vp9') return 0;
  return pyramid === 'none' || bFrames < 2 ? 1 : 2;
}

/** JPEG knows no other than the full one. */
export function rangeOf({ codec, range }: Recipe): Recipe['range'] {
  return codec === 'mjpeg' ? 'full' : range;
}

/** ffmpeg's filter that makes the drawn RGB the recipe's YUV. */
export function colourFilter(recipe: Recipe): string {
  const { codec, interlace, matrix, flagged } = recipe;
  const format = codec === 'mjpeg' ? 'yuvj420p' : 'yuv420p';
  const scale = [
    `out_color_matrix=${matrix}`,
    `out_range=${rangeOf(recipe)}`,
    `interl=${interlace === 'none' ? '0' : '1'}`,
    'flags=accurate_rnd+full_chroma_int+bicubic',
  ];
  const flags = Object.entries(flagged ? FLAGS[matrix] : UNFLAGGED).map(([key, value]) => `${key}=${value}`);
  const range = rangeOf(recipe);
  const told = `range=${range === 'full' || flagged ? range : 'unspecified'}`;
  return `scale=${scale.join(':')},format=${format},setparams=${[told, ...flags].join(':')}`;
}

/** Arguments behind the filter, up to the container's. */
export function encoderArguments(recipe: Recipe): string[] {
  const { codec, fps, gopS } = recipe;
  const gop = String(Math.round(fps * gopS));
  const one = ['-threads', '1'];
  switch (codec) {
    case 'h264':
      return [...one, '-c:v', 'libx264', '-preset', 'veryfast', ...quality(recipe, 16), ...x264(recipe, gop)];
    case 'h265':
      return [...one, '-c:v', 'libx265', '-preset', 'superfast', ...x265(recipe, gop)];
    case 'mjpeg':
      return ['-c:v', 'mjpeg', '-q:v', '2', '-huffman', 'default'];
    case 'mpeg4':
      return [
        '-c:v',
        'mpeg4',
        '-q:v',
        '2',
        '-g',
        gop,
        '-bf',
        String(recipe.bFrames),
        '-sc_threshold',
        '1000000000',
      ];
    case 'vp8':
    case 'vp9': {
      const speed = ['-deadline', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', '-auto-alt-ref', '0'];
      const encoder = codec === 'vp8' ? 'libvpx' : 'libvpx-vp9';
      return ['-c:v', encoder, ...speed, '-b:v', '3M', '-crf', '8', '-g', gop, '-keyint_min', gop];
    }
  }
}

function quality({ scene }: Recipe, crf: number): string[] {
  return scene === 'patches' ? ['-qp', '6'] : ['-crf', String(crf)];
}

function x264(recipe: Recipe, gop: string): string[] {
  const { bFrames, pyramid, openGop, intraRefresh, interlace } = recipe;
  const options = [
    ...['aud=1', 'repeat-headers=1', 'scenecut=0', 'b-adapt=0', `keyint=${gop}`, `min-keyint=${gop}`],
    ...[`bframes=${String(bFrames)}`, `b-pyramid=${pyramid}`, `open-gop=${openGop ? '1' : '0'}`],
    ...(intraRefresh ? ['intra-refresh=1'] : []),
    ...(interlace === 'mbaff-tff' ? ['tff=1'] : interlace === 'mbaff-bff' ? ['bff=1'] : []),
  ];
  // ffmpeg sets -g behind the options: it would undo keyint.
  return ['-x264-params', options.join(':')];
}

/** The default settings of x265 that determine the order of pictures; its speed presets omit some of them. */
const X265_DEFAULTS = ['bframes=4', 'b-adapt=2', 'b-pyramid=1', 'open-gop=1', 'rc-lookahead=20'];

function x265(recipe: Recipe, gop: string): string[] {
  const { bFrames, pyramid, openGop, scene } = recipe;
  const own =
    bFrames === 'default'
      ? X265_DEFAULTS
      : [
          ...['b-adapt=0', `bframes=${bFrames}`, `b-pyramid=${pyramid === 'none' ? '0' : '1'}`],
          `open-gop=${openGop ? '1' : '0'}`,
        ];
  const fixed = ['log-level=error', 'aud=1', 'repeat-headers=1', 'scenecut=0', 'pools=1', 'frame-threads=1'];
  const rate = scene === 'patches' ? 'qp=6' : 'crf=18';
  const options = [...fixed, `keyint=${gop}`, `min-keyint=${gop}`, rate, ...own];
  return ['-x265-params', options.join(':')];
}
