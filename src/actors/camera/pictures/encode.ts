/** Converts ffmpeg's uncompressed pictures to the formats ffmpeg does not encode. */
import sharp from 'sharp';
import { Fault } from '../../../fault/fault';

sharp.cache(false);
sharp.concurrency(1);

/**
 * Encodes a binary PPM (P6, 8 bits, RGB) as PNG or WebP.
 * @param quality 1 to 100; ignored for PNG
 * @throws Fault `bad-capture-output` if the bytes are not such a PPM
 */
export async function encodePpm(ppm: Buffer, format: 'png' | 'webp', quality: number): Promise<Buffer> {
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(ppm.subarray(0, 40).toString('latin1'));
  if (header === null)
    throw new Fault('bad-capture-output', 'ffmpeg gave something other than a PPM picture');
  const raw = { width: Number(header[1]), height: Number(header[2]), channels: 3 as const };
  const image = sharp(ppm.subarray(header[0].length), { raw });
  return format === 'png'
    ? image.png({ compressionLevel: 6 }).toBuffer()
    : image.webp({ quality }).toBuffer();
}
