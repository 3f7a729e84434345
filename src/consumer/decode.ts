/** Decodes a stored picture to raw RGB. */
import sharp from 'sharp';
import { MAX_PIXELS, type FrameFormat } from '../contract/frame';
import { decodeKeyframe } from './decode-keyframe';
import { UndecodableError, textOf } from './fault';

// A frame is decoded once: libvips' cache of recent operations would only hold memory.
sharp.cache(false);

/** Messages of libvips and C++ when memory is short. */
const NO_MEMORY = /out of memory|bad_alloc|memory allocation|unable to allocate/i;

export interface DecodedFrame {
  /** Rows from the top, `width * channels` bytes each, without padding. */
  readonly data: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** 3, in the order red, green, blue. */
  readonly channels: number;
}

export interface DecodeOptions {
  /** Program that decodes `h264` and `h265`; by default the ffmpeg on PATH. */
  readonly ffmpeg?: string;
}

/**
 * The picture's pixels. Throws an {@link UndecodableError} if the bytes are not a complete, undamaged picture of this
 * format, or one of more than {@link MAX_PIXELS}; a ConsumerError `no-ffmpeg` if a keyframe needs it and it cannot be run;
 * an error with the system's code, such as ENOMEM, if this machine is short of a resource.
 */
export async function decodeFrame(
  bytes: Buffer,
  format: FrameFormat,
  { ffmpeg = 'ffmpeg' }: DecodeOptions = {},
): Promise<DecodedFrame> {
  // sharp reads many formats, some of which refer to other files: only the announced format is passed to it.
  if (!hasSignature(bytes, format)) throw new UndecodableError(`the picture is no ${format}`);
  if (format === 'h264' || format === 'h265') return decodeKeyframe(bytes, format, MAX_PIXELS, ffmpeg);
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS });
    const raw = picture.toColourspace('srgb').removeAlpha().raw();
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels };
  } catch (cause) {
    if (NO_MEMORY.test(textOf(cause)))
      throw Object.assign(new Error(`no memory to decode a ${format} picture`, { cause }), {
        code: 'ENOMEM',
      });
    throw new UndecodableError(`the ${format} picture cannot be decoded: ${textOf(cause)}`, { cause });
  }
}

/** H.264 and H.265 begin with a start code. */
const START_CODE = Buffer.from([0, 0, 1]);

function hasSignature(bytes: Buffer, format: FrameFormat): boolean {
  switch (format) {
    case 'jpeg':
      return bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]));
    case 'png':
      return bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    case 'webp':
      return bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
    case 'h264':
    case 'h265':
      return [0, 1].some((at) => bytes.subarray(at, at + 3).equals(START_CODE));
  }
}
