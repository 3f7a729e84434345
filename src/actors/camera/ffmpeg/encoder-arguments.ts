/** How ffmpeg encodes pictures. Pure. */

/** Uncompressed: sharp makes the other formats of it. */
export const PPM = ['-c:v', 'ppm', '-pix_fmt', 'rgb24'] as const;

/**
 * ffmpeg's quantiser for a JPEG quality of 1 to 100. libjpeg scales its tables by (200 - 2q)/100, or 50/q below 50;
 * ffmpeg by its quantiser, and 15 of those are libjpeg's 1.0 (measured: quantiser 6 equals quality 80). The standard
 * Huffman tables save the second pass over the picture: two fifths of the encoder's time for some 5 % more bytes.
 */
export function jpegEncoder(quality: number): readonly string[] {
  const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
  const quantiser = Math.min(31, Math.max(1, Math.round(15 * scale)));
  return ['-c:v', 'mjpeg', '-huffman', 'default', '-qmin', '1', '-q:v', String(quantiser)];
}
