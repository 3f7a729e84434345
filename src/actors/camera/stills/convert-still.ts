/** Converts a still picture to another format or size: decodes it once, makes a thumbnail, and encodes it. */
import sharp, { type Sharp } from 'sharp';
import type { CameraSpec } from '../../../config/topology';
import { MAX_PIXELS } from '../../../contract/frame';
import { THUMBNAIL, thumbnailOfRgb } from '../pictures/thumbnail';

sharp.cache(false);
sharp.concurrency(1);

export interface ConvertedStill {
  readonly format: 'jpeg' | 'png' | 'webp';
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  /** Size as the camera sent it. */
  readonly source: { readonly width: number; readonly height: number };
  readonly thumbnail: Buffer;
  /** The decoder complained. */
  readonly isDamaged: boolean;
}

type Wanted = Pick<CameraSpec, 'format' | 'quality' | 'width' | 'rotate'>;

/** @throws Error of sharp if nothing can be decoded, or there are more than {@link MAX_PIXELS} */
export async function convertStill(
  bytes: Buffer,
  { format, quality, width, rotate }: Wanted,
): Promise<ConvertedStill> {
  const { pixels, isDamaged } = await decode(bytes, rotate === undefined);
  const sent = await sharp(bytes).metadata();
  const { data, info } = pixels;
  const decoded = () =>
    sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
  const rotated = rotate === undefined ? decoded() : decoded().rotate(rotate);
  const size = (rotate ?? 0) % 180 === 0 ? info : { width: info.height, height: info.width };
  const scaled = width === undefined || width >= size.width ? rotated : rotated.resize(sizeFor(width, size));
  const kind = format === 'png' || format === 'webp' ? format : 'jpeg';
  const [picture, thumbnail] = await Promise.all([
    encode(scaled, kind, quality).toBuffer({ resolveWithObject: true }),
    // Without averaging, so that noise is preserved.
    decoded()
      .resize({ ...THUMBNAIL, fit: 'fill', kernel: 'nearest', fastShrinkOnLoad: false })
      .toColourspace('srgb')
      .raw()
      .toBuffer(),
  ]);
  return {
    ...{ format: kind, bytes: picture.data, width: picture.info.width, height: picture.info.height },
    source: { width: sent.width, height: sent.height },
    ...{ thumbnail: thumbnailOfRgb(thumbnail), isDamaged },
  };
}

/** @param upright whether to turn the picture as its Exif data say */
async function decode(bytes: Buffer, upright: boolean) {
  const read = (failOn: 'warning' | 'none') =>
    sharp(bytes, { failOn, limitInputPixels: MAX_PIXELS, autoOrient: upright })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
  try {
    return { pixels: await read('warning'), isDamaged: false };
  } catch {
    return { pixels: await read('none'), isDamaged: true };
  }
}

/** Like ffmpeg's scale=width:-2: the height is proportional and even. */
function sizeFor(width: number, of: { readonly width: number; readonly height: number }) {
  return {
    width,
    height: Math.max(2, 2 * Math.round((of.height * width) / of.width / 2)),
    fit: 'fill' as const,
  };
}

function encode(image: Sharp, format: 'jpeg' | 'png' | 'webp', quality: number): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality, optimiseCoding: false });
    case 'png':
      return image.png({ compressionLevel: 6 });
    case 'webp':
      return image.webp({ quality });
  }
}
