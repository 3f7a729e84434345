/** Pictures of one colour in the formats that sharp encodes. */
import sharp from 'sharp';
import type { FrameFormat } from '../src/contract/frame';

const pictures = new Map<string, Promise<Buffer>>();

/** What sharp makes. */
export type PictureFormat = Exclude<FrameFormat, 'h264' | 'h265'>;

/** An encoded orange picture. */
export function picture(format: PictureFormat, width = 64, height = 48): Promise<Buffer> {
  const id = `${format} ${width}x${height}`;
  const background = { r: 250, g: 130, b: 20 };
  const made = sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
  const known = pictures.get(id) ?? made;
  pictures.set(id, known);
  return known;
}
