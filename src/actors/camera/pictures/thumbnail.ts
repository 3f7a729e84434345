/**
 * A small copy by which a picture is judged: single points, evenly spread, so that noise is preserved. Pure.
 */

/** Size in points. */
export const THUMBNAIL = { width: 64, height: 36 } as const;
export const POINTS = THUMBNAIL.width * THUMBNAIL.height;

/**
 * ffmpeg's filters that make the thumbnail: three planes of {@link POINTS} bytes in full range, Y, U and V.
 */
export const THUMBNAIL_FILTERS = `scale=${THUMBNAIL.width}:${THUMBNAIL.height}:flags=neighbor:out_range=full,format=yuvj444p`;

/** Converts points in RGB, three bytes each (JFIF 1.02). */
export function thumbnailOfRgb(rgb: Buffer): Buffer {
  const planes = Buffer.alloc(3 * POINTS);
  for (let i = 0; i < POINTS; i++) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(3 * i, 3 * i + 3);
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    planes[i] = Math.round(y);
    planes[POINTS + i] = clamp(128 + (b - y) / 1.772);
    planes[2 * POINTS + i] = clamp(128 + (r - y) / 1.402);
  }
  return planes;
}

/** The grey values of a thumbnail. */
export function greyOf(thumbnail: Buffer): Buffer {
  return thumbnail.subarray(0, POINTS);
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}
