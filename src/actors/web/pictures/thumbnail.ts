/** Pictures in the sizes of viewers. Loaded with the first: sharp takes 20 MB. */
import sharp from 'sharp';
import { MAX_PIXELS } from '../../../contract/frame';

sharp.cache(false);
sharp.concurrency(1);

const QUALITY = 80;

/** @param width maximum, pixels; undefined keeps the size */
export async function toJpeg(bytes: Buffer, width: number | undefined): Promise<Buffer> {
  const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'none' });
  const sized = width === undefined ? image : image.resize({ width, withoutEnlargement: true });
  return sized.jpeg({ quality: QUALITY }).toBuffer();
}
