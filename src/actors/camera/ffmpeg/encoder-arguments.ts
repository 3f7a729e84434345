/** How ffmpeg encodes pictures. Pure. */

/** Uncompressed pictures, from which sharp makes the other formats. */
export const PPM = ['-c:v', 'ppm', '-pix_fmt', 'rgb24'] as const;

/** Quantisers of JPEG for quality 50, row by row (ITU-T T.81, tables K.1 and K.2), which libjpeg scales. */
const LUMA = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat();
const CHROMA = [
  [17, 18, 24, 47, 99, 99, 99, 99],
  [18, 21, 26, 66, 99, 99, 99, 99],
  [24, 26, 56, 99, 99, 99, 99, 99],
  [47, 66, 99, 99, 99, 99, 99, 99],
  ...Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => 99)),
].flat();
/**
 * From quality 90 on the tables are finer by this fraction, and from 60 on by part of it, to make up for the
 * loss in each block's mean, whose quantiser cannot be chosen (measured: docs/pictures.md).
 */
const MEAN_LOSS = 0.1;
/** With this scale the encoder uses the tables unchanged. */
const UNSCALED = '8';

/**
 * ffmpeg's arguments for a JPEG quality of 1 to 100 on libjpeg's scale: libjpeg's tables, scaled in the same
 * way (jpeg_quality_scaling). For the mean of each block the encoder always uses the quantiser 8, so that
 * below quality 25 pictures are better and larger than libjpeg's. The standard Huffman tables save a second
 * pass over the picture: two fifths of the encoder's time for some 5 % more bytes.
 */
export function jpegEncoder(quality: number): readonly string[] {
  const libjpeg = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  const percent = libjpeg * (1 - MEAN_LOSS * Math.min(1, Math.max(0, (quality - 60) / 30)));
  const scaled = (table: readonly number[]) =>
    table.map((each) => Math.min(255, Math.max(1, Math.floor((each * percent + 50) / 100)))).join(',');
  return [
    ...['-c:v', 'mjpeg', '-huffman', 'default', '-qmin', '1', '-q:v', UNSCALED],
    ...['-intra_matrix', scaled(LUMA), '-chroma_intra_matrix', scaled(CHROMA)],
  ];
}
