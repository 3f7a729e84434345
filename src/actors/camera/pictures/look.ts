/** The look of a stream's pictures before encoding, and the filters that make their colours right. Pure. */
import type { CameraSpec, Matrix } from '../../../config/topology';
import { areHeadersRead } from '../bitstream/codec';
import type { VideoFormat } from '../bitstream/picture-facts';
import { rotated, UPRIGHT, type Rotation } from '../ffmpeg/rotation';
import { noWiderThan } from './shape-filters';
import type { StreamHeader } from '../ffmpeg/packet-splitter';

export interface PictureLook {
  /** The pictures are to be deinterlaced. */
  readonly interlaced: boolean;
  /** How the pictures are to be turned. */
  readonly rotation: Rotation;
  /** ffmpeg's filters that convert the colours to those of the camera's format. */
  readonly colours: readonly string[];
}

/** How colour is coded, if known. */
type Colour = Partial<Pick<VideoFormat, 'fullRange' | 'chromaFormat' | 'bitDepth'>> & {
  readonly matrix?: Matrix | 'other' | undefined;
  /** Width or height, when it is encoded, is an odd number. */
  readonly isOdd?: boolean;
  /** Without colours, and decoded as such. */
  readonly isGrey?: boolean;
};

/** Matrices by their number (H.273, table 4). */
const MATRICES: Readonly<Record<number, Matrix>> = {
  1: 'bt709',
  5: 'bt601',
  6: 'bt601',
  9: 'bt2020',
};
/** Unmarked video of at least this many lines is BT.709, as players assume. */
const HD_LINES = 720;
/** Codecs that are BT.601 by definition, or not YUV, whatever the size (JFIF 1.02; RFC 6386, 9.2). */
const ALWAYS_BT601: ReadonlySet<string> = new Set(['mjpeg', 'vp8', 'png', 'ppm']);
/** Names for ffmpeg's filter `colorspace`; `scale` uses the same names as Vigil. */
const COLORSPACE_NAMES: Readonly<Record<Matrix, string>> = {
  bt601: 'smpte170m',
  bt709: 'bt709',
  bt2020: 'bt2020nc',
};
/** Chroma format of pictures without colours. */
const GREY = 0;
/** By chroma format: 4:2:0, 4:2:2, 4:4:4. */
const PIXELS: Readonly<Record<number, string>> = { 1: 'yuv420p', 2: 'yuv422p', 3: 'yuv444p' };
/**
 * `colorspace` also converts primaries and transfer functions unless they are equal; which ones does not
 * matter.
 */
const SAME_LIGHT = ['iprimaries', 'itrc', 'primaries', 'trc'].map((name) => `${name}=bt709`).join(':');

const EXACT = 'flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp';

/** The format of nearly all cameras: assumed for a codec until its headers say more. */
const USUAL: Colour = { fullRange: false, chromaFormat: 1 };

/** A configured width is met exactly, and its height is even; a smaller picture keeps its size. */
function isOddSize(
  width: number | undefined,
  format: VideoFormat | undefined,
  { degrees }: Rotation,
): boolean {
  const side = degrees % 180 === 0 ? format?.width : format?.height;
  const isScaled = width !== undefined && (side === undefined || side > width);
  if (isScaled && width % 2 === 1) return true;
  return format !== undefined && (format.width % 2 === 1 || format.height % 2 === 1);
}

/**
 * @param format of the newest picture; undefined before the first, and where headers are not read
 * @param header the announcement of the stream
 * @param interlaced whether interlaced pictures have been seen
 * @param said the turn that the stream asks for
 */
export function pictureLook(
  camera: Pick<CameraSpec, 'format' | 'width' | 'matrix' | 'deinterlace' | 'rotate'>,
  header: Pick<StreamHeader, 'codec' | 'height'>,
  format: VideoFormat | undefined,
  interlaced: boolean,
  said?: Rotation,
): PictureLook {
  const matrix = camera.matrix ?? matrixOf(header, format);
  const coding = format ?? (areHeadersRead(header.codec) ? USUAL : {});
  const rotation = wantedRotation(camera, said);
  const isOdd = isOddSize(camera.width, format, rotation);
  // For H.264, ffmpeg's decoder outputs grey as 4:2:0, whose range is respected.
  const isGrey = coding.chromaFormat === GREY && header.codec === 'hevc';
  const colour = { ...coding, matrix, isOdd, isGrey };
  return {
    interlaced: interlaced && camera.deinterlace,
    rotation,
    colours: camera.format === 'jpeg' ? toJpeg(colour) : toRgb(colour, camera),
  };
}

/** A configured turn takes precedence over the stream's; 0 disables it. */
export function wantedRotation({ rotate }: Pick<CameraSpec, 'rotate'>, said: Rotation | undefined): Rotation {
  return rotate === undefined ? (said ?? UPRIGHT) : rotated(rotate);
}

/**
 * ffmpeg's scaler treats grey of limited range as full, whatever its options, so the range is stretched
 * first.
 */
function stretchedGrey({ fullRange, bitDepth = 8 }: Colour): string[] {
  const scale = 2 ** (bitDepth - 8);
  return fullRange === true ? [] : [`lut=c0='(val-${16 * scale})*${2 ** bitDepth - 1}/${219 * scale}+0.5'`];
}

function matrixOf(
  { codec, height }: Pick<StreamHeader, 'codec' | 'height'>,
  format: VideoFormat | undefined,
): Colour['matrix'] {
  if (ALWAYS_BT601.has(codec)) return 'bt601';
  if (format?.matrix !== undefined) return MATRICES[format.matrix] ?? 'other';
  if ((format?.height ?? height) >= HD_LINES) return 'bt709';
  return format === undefined && !areHeadersRead(codec) ? undefined : 'bt601';
}

/**
 * For more than 8 bits, the scaler's fast path makes white 253 and grey 126. The exact path takes 20 ms for a
 * 1080p picture, so it is not used where the fast one is off by less than 1 on average and 3 at most; WebP
 * adds further errors. Without the exact path, a scaled picture has only half its chroma resolution.
 */
function toRgb(colour: Colour, { format, width }: Pick<CameraSpec, 'format' | 'width'>): string[] {
  const { matrix, bitDepth = 8, isGrey = false } = colour;
  const from = matrix === undefined || matrix === 'other' ? 'auto' : matrix;
  const isExact = bitDepth > 8 || width !== undefined || format === 'webp';
  if (from === 'auto' && !isExact && !isGrey) return [];
  const size = width === undefined ? [] : [noWiderThan(width)];
  const range = isGrey ? ['in_range=full'] : [];
  const scale = [...size, `in_color_matrix=${from}`, ...range, ...(isExact ? [EXACT] : [])];
  return [...(isGrey ? stretchedGrey(colour) : []), `scale=${scale.join(':')}`];
}

/**
 * JPEG is BT.601 in full range (JFIF): other video is converted. ffmpeg's `colorspace` does so in less time
 * than the encoder's own conversion of the range, and more exactly than `scale` (docs/capture/sampling.md);
 * it supports only 4:2:0, 4:2:2 and 4:4:4 in even sizes.
 */
function toJpeg(colour: Colour): string[] {
  const { matrix, fullRange, chromaFormat, isOdd } = colour;
  if (colour.isGrey === true) return [...stretchedGrey(colour), 'scale=in_range=full:out_range=full'];
  const pixels = isOdd === true ? undefined : PIXELS[chromaFormat ?? 0];
  if (matrix === 'bt601' && (fullRange === true || pixels === undefined)) return [];
  if (matrix === undefined || matrix === 'other' || pixels === undefined) {
    const from = matrix === undefined || matrix === 'other' ? 'auto' : matrix;
    return [`scale=in_color_matrix=${from}:out_color_matrix=bt601:out_range=full`];
  }
  // Taken from the headers alone: `colorspace` would fail on a damaged picture that declares other values.
  const from = `ispace=${COLORSPACE_NAMES[matrix]}:irange=${fullRange === true ? 'pc' : 'tv'}`;
  return [`colorspace=${from}:space=smpte170m:range=pc:${SAME_LIGHT}:fast=1:format=${pixels}`];
}
