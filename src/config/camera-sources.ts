/** Where a camera's pictures may come from: the four keys that name a source, and the kinds of source settings apply to. Pure data. */

/** Schemes of a stream; none of them reads local files or runs programs. */
export const STREAM_SCHEMES = ['rtsp', 'rtsps', 'http', 'https', 'rtmp', 'rtmps'] as const;
/** Schemes of a still picture. */
export const STILL_SCHEMES = ['http', 'https'] as const;
/** ffmpeg's picture generators. */
export const TEST_PATTERNS = ['testsrc2', 'smptehdbars', 'rgbtestsrc', 'mandelbrot'] as const;

/** A camera has exactly one of them. */
export const SOURCE_KEYS = ['url', 'still', 'file', 'test'] as const;
export type SourceKey = (typeof SOURCE_KEYS)[number];

/** A kind of source: a stream by the scheme of its URL, any other by its key. */
export type SourceKind = (typeof STREAM_SCHEMES)[number] | Exclude<SourceKey, 'url'>;

const HTTP = ['http', 'https'] as const;
/** Sources whose pictures are requested over a network. */
export const NETWORK = [...STREAM_SCHEMES, 'still'] as const;
/** Sources whose pictures ffmpeg decodes. */
export const VIDEO = [...STREAM_SCHEMES, 'file'] as const;
/** Sources whose pictures may need to be rotated. */
export const TURNABLE = [...STREAM_SCHEMES, 'still', 'file'] as const;
export const OVER_HTTP = [...HTTP, 'still'] as const;
export const ANY_SOURCE = [...STREAM_SCHEMES, 'still', 'file', 'test'] as const;

const NAMES: Readonly<Record<Exclude<SourceKey, 'url'>, string>> = {
  still: 'a still picture ("still")',
  file: 'a video file ("file")',
  test: 'a test picture ("test")',
};

/** A kind of source in a sentence. */
export function sourceName(kind: SourceKind): string {
  return kind in NAMES ? NAMES[kind as keyof typeof NAMES] : `a stream over ${kind}://`;
}
