/** The common parts of every command line of a receiving ffmpeg, as pure functions. Measured and explained in docs/capture/feeds.md. */

export interface FfmpegInvocation {
  readonly args: readonly string[];
  /**
   * Written to standard input first. For a receiver it names the stream, so that no process list shows the
   * URL.
   */
  readonly stdin: string;
  /** ffmpeg needs the drivers of graphics hardware. */
  readonly usesHardware?: boolean;
}

/**
 * No part of a feed is larger; an 8K JPEG of the best quality has some 30 MB. Without this bound an endless
 * picture uses up all memory: 4 GB in 10 s were measured, and 110 MB with it.
 */
export const MAX_RECEIVED_BYTES = 64 * 1024 * 1024;
export const QUIET = ['-nostats', '-hide_banner', '-v', 'error'] as const;
/** libavutil refuses any larger allocation; a picture is received into a single one. */
export const BOUNDED = ['-max_alloc', String(MAX_RECEIVED_BYTES)] as const;
/** The first packet reveals everything needed; more probing only delays the first picture. */
export const NO_PROBING = ['-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32'] as const;
/**
 * Output as a framecrc line with time and size, then the bytes it describes: see packet-splitter.ts. The
 * bitstream filters belong to tee, one set per output: those of ffmpeg itself (-bsf) take the restart of a
 * looped file for its end and then pass nothing more.
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
