/** Video with a mark in one corner, which says how it was turned. */
import { decodeFrame } from '../../src/consumer/decode';
import type { Picture } from '../../src/actors/camera/pictures/decoder';

export const MARKED_SIZE = { width: 128, height: 96, mark: 32 } as const;
const { width: WIDTH, height: HEIGHT, mark: MARK } = MARKED_SIZE;
/** For ffmpeg's `lavfi`. */
export const MARKED_SOURCE = `color=black:size=${WIDTH}x${HEIGHT}:rate=10,drawbox=w=${MARK}:h=${MARK}:color=white:t=fill`;

/** The mark of an upright picture is at the left above; turned by 90 degrees clockwise, at the right. */
export const CORNERS = { 0: 'left top', 90: 'right top', 180: 'right bottom', 270: 'left bottom' } as const;
/** The same where left and right were swapped before. */
export const MIRRORED_CORNERS = {
  0: 'right top',
  90: 'right bottom',
  180: 'left bottom',
  270: 'left top',
} as const;
export type Degrees = keyof typeof CORNERS;

/** MP4 with another matrix in its track header (ISO 14496-12, 8.3.2): a turn clockwise, after left and right were swapped. */
export function withDisplayMatrix(movie: Buffer, degrees: Degrees, isMirrored = false): Buffer {
  const bytes = Buffer.from(movie);
  const at = bytes.indexOf('tkhd', 0, 'latin1');
  if (at < 0 || bytes[at + 4] !== 0) throw new Error('no track header of version 0');
  const [sine, cosine] = { 0: [0, 1], 90: [1, 0], 180: [0, -1], 270: [-1, 0] }[degrees] as [number, number];
  const across = isMirrored ? -1 : 1;
  const places = [0, 4, 8, 12, 16];
  [across * cosine, across * sine, 0, -sine, cosine].forEach((value, i) => {
    bytes.writeInt32BE(value * 65_536, at + 4 + 4 + 20 + 16 + (places[i] ?? 0));
  });
  return bytes;
}

/** Which corner the mark is in. */
export async function cornerOf({
  format,
  bytes,
  width,
  height,
}: Pick<Picture, 'format' | 'bytes' | 'width' | 'height'>): Promise<string> {
  const { data, channels } =
    format === 'ppm'
      ? { data: bytes.subarray(bytes.indexOf('255\n', 0, 'latin1') + 4), channels: 3 }
      : await decodeFrame(bytes, format);
  const at = (x: number, y: number) => (data[channels * (width * y + x)] ?? 0) > 128;
  const [near, right, bottom] = [MARK / 2, width - MARK / 2, height - MARK / 2];
  const found = [
    at(near, near) ? ['left top'] : [],
    at(right, near) ? ['right top'] : [],
    at(right, bottom) ? ['right bottom'] : [],
    at(near, bottom) ? ['left bottom'] : [],
  ].flat();
  return found.join();
}
