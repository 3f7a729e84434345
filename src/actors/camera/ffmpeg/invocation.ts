/** The common parts of every command line of a receiving ffmpeg, as pure functions. Measured and explained in docs/capture/feeds.md. */

export interface FfmpegInvocation {
  readonly args: readonly string[];
  /** Written to standard input first; of a receiver all there is: it names the stream, so that no process list does. */
  readonly stdin: string;
  /** It needs the drivers of graphics hardware. */
  readonly usesHardware?: boolean;
}

/**
 * No part of a feed is larger; a JPEG of 8K in the best quality has some 30 MB. Without this bound a picture that does not
 * end takes all memory there is: 4 GB in 10 s were measured, where 110 MB are now.
 */
export const MAX_RECEIVED_BYTES = 64 * 1024 * 1024;
export const QUIET = ['-nostats', '-hide_banner', '-v', 'error'] as const;
/** libavutil refuses any single piece of memory above this; a picture is received into one. */
export const BOUNDED = ['-max_alloc', String(MAX_RECEIVED_BYTES)] as const;
/** Found in the first packet what there is to find; more probing only delays the first picture. */
export const NO_PROBING = ['-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32'] as const;
/**
 * A line of framecrc with time and size, then the bytes it describes: see packet-splitter.ts. The bitstream filters belong to
 * tee, one set per output: ffmpeg's own (-bsf) treat the restart of a looped file as its end, and then pass nothing more.
 */
export function toSplitter({
  fd = 1,
  filters = [],
  more = [],
}: {
  fd?: number;
  filters?: readonly string[];
  more?: readonly string[];
} = {}): string[] {
  const bsfs = filters.length === 0 ? '' : `:bsfs/v=${filters.join(',')}`;
  const outputs = ['framecrc', 'data'].map((format) => `[f=${format}${bsfs}]pipe\\:${fd}`);
  return ['-f', 'tee', [...outputs, ...more].join('|')];
}
