/** The ffmpeg command lines of a camera, as pure functions of its settings. Measured and explained in docs/capture.md. */
import type { CameraSource, CameraSpec } from '../../config/topology';
import type { FrameFormat } from '../../contract/frame';
import { THUMBNAIL } from './picture-judge';

export interface FfmpegInvocation {
  readonly args: readonly string[];
  /** Written to standard input first; of a receiver all there is: it names the stream, so that no process list does. */
  readonly stdin: string;
}

/** Codecs whose packets may come with lengths instead of start codes, and ffmpeg's filter that mends that. */
const TO_ANNEX_B: Readonly<Record<string, string>> = {
  h264: 'h264_mp4toannexb',
  hevc: 'hevc_mp4toannexb',
};
/** Decoded pictures above this are refused by ffmpeg itself: 8K UHD has 33 million pixels. */
export const MAX_PIXELS = 40_000_000;
/**
 * No part of a feed is larger; a JPEG of 8K in the best quality has some 30 MB. Without this bound a picture that does not
 * end takes all memory there is: 4 GB in 10 s were measured, where 110 MB are now.
 */
export const MAX_RECEIVED_BYTES = 64 * 1024 * 1024;
/** Milliseconds after which ffmpeg gives up a silent network read; it takes them in microseconds. */
export const NETWORK_TIMEOUT_MS = 5000;
/** Pictures of a synthetic camera per sampling period: two, so that one always falls into it. */
const TEST_OVERSAMPLING = 2;

const PPM = ['-c:v', 'ppm', '-pix_fmt', 'rgb24'] as const;
const QUIET = ['-nostats', '-hide_banner', '-v', 'error'] as const;
/** libavutil refuses any single piece of memory above this; a picture is received into one. */
const BOUNDED = ['-max_alloc', String(MAX_RECEIVED_BYTES)] as const;
/** Found in the first packet what there is to find; more probing only delays the first picture. */
const NO_PROBING = ['-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32'] as const;
/**
 * Of RTSP the description tells all there is to find. Without it ffmpeg 5.1 decodes for up to a second, and forgets the
 * keyframe that came meanwhile: the first picture is a second later.
 */
const AT_FIRST_PACKET = ['option probesize 32'] as const;
/** With the level of each line and no line left out, so that every complaint about a picture is heard. */
const TALKATIVE = ['-nostats', '-hide_banner', '-v', 'repeat+level+warning'] as const;
/** Only keyframes pass, as an argument of tee, which takes one level of backslashes off and its outputs another. */
const KEYFRAMES_ONLY = 'noise=amount=0\\\\:drop=not(key)';

/**
 * A line of framecrc with time and size, then the bytes it tells of: see packet-splitter.ts. The bitstream filters are
 * tee's, once for each: ffmpeg's own (-bsf) see an end where a file begins anew, and then pass nothing more.
 */
function toSplitter({
  fd = 1,
  filters = [],
  more = [],
}: {
  fd?: number;
  filters?: readonly string[];
  more?: readonly string[];
} = {}): string[] {
  const bsfs = filters.length === 0 ? '' : `:bsfs/v=${filters.join(',')}`;
  const outputs = ['framecrc', 'data'].map((format) => `[f=${format}${bsfs}]pipe\\:${String(fd)}`);
  return ['-f', 'tee', [...outputs, ...more].join('|')];
}

/**
 * What a sender's reports tell of keyframes, as `prft` boxes of an MP4 on fd 3 (see sender-clock.ts), some 200 bytes
 * each. Of the keyframe only what is small is left: the sequence parameters of H.264 (7) and H.265 (33), the frame header
 * of JPEG (192). The times stay those of the packets (avoid_negative_ts). An ffmpeg or codec that can't do it goes without.
 */
function senderTimes(unify: string): string {
  const flags = 'movflags=empty_moov+default_base_moof+frag_every_frame:write_prft=wallclock';
  const bsfs = [KEYFRAMES_ONLY, unify, 'filter_units=pass_types=7\\|33\\|192'].join(',');
  return `[f=mp4:onfail=ignore:avoid_negative_ts=disabled:${flags}:bsfs/v=${bsfs}]pipe\\:3`;
}

/**
 * Receives the feed and decodes nothing: every packet comes on fd 1, the sender's times on fd 3. Only a synthetic picture is encoded here.
 * @param lengthPrefixed codec whose packets were found to have lengths instead of start codes
 */
export function receiverInvocation(camera: CameraSpec, lengthPrefixed?: string): FfmpegInvocation {
  const { source } = camera;
  if (source.kind === 'test')
    return { args: [...QUIET, ...BOUNDED, ...testInput(source.pattern, camera), ...toSplitter()], stdin: '' };
  if (source.kind === 'still') throw new Error('still pictures are not read by ffmpeg');
  const { input, stdin } = source.kind === 'file' ? fileInput(source.path) : streamInput(source);
  const unify = TO_ANNEX_B[lengthPrefixed ?? ''] ?? 'dump_extra=freq=keyframe';
  const filters = camera.format === 'keyframe' ? [KEYFRAMES_ONLY, unify] : [unify];
  return {
    // copytb: the input's own unit of time, not the grid of its nominal frame rate. Undecoded, a packet that depends on
    // others is of no use: it need not leave ffmpeg.
    args: [
      ...[...QUIET, ...BOUNDED, ...input, '-copyts', '-copytb', '1', '-map', '0:v:0', '-c', 'copy'],
      ...toSplitter({ filters, ...(hasSenderTimes(source) ? { more: [senderTimes(unify)] } : {}) }),
    ],
    stdin,
  };
}

/**
 * Takes segments of HLS from standard input, which it may open nothing beside; every packet comes on fd 1. MPEG-TS has
 * its parameters within.
 * @param lengthPrefixed codec whose packets have lengths instead of start codes
 * @param analyzeMs media that is looked through for the parameters of all tracks: more than the first segment is waited for
 */
export function segmentsInvocation(
  { format }: CameraSpec,
  lengthPrefixed: string | undefined,
  analyzeMs: number,
): FfmpegInvocation {
  const unify = TO_ANNEX_B[lengthPrefixed ?? ''];
  const filters = [
    ...(format === 'keyframe' ? [KEYFRAMES_ONLY] : []),
    ...(unify === undefined ? [] : [unify]),
  ];
  return {
    args: [
      ...[...QUIET, ...BOUNDED, '-protocol_whitelist', 'pipe', '-threads', '1', '-fpsprobesize', '0'],
      ...['-analyzeduration', String(Math.round(analyzeMs * 1000)), '-probesize', String(MAX_RECEIVED_BYTES)],
      ...[
        '-i',
        'pipe:0',
        '-copyts',
        '-copytb',
        '1',
        '-map',
        '0:v:0',
        '-c',
        'copy',
        ...toSplitter({ filters }),
      ],
    ],
    stdin: '',
  };
}

/**
 * Decodes packets in IVF from standard input. Those with an odd time come as pictures on fd 1, in the camera's format
 * (PPM for those sharp makes), the others are only decoded. Of each picture a thumbnail comes first, on fd 3.
 * @param codec ffmpeg's name of it
 */
export function decoderInvocation(camera: CameraSpec, codec: string): FfmpegInvocation {
  const scale = camera.width === undefined ? '' : `,scale=${String(camera.width)}:-2`;
  const wanted = "select='mod(pts,2)'";
  const ownTimes = ['-enc_time_base', '1/1000', '-fps_mode', 'passthrough'];
  const thumbnail = `scale=${String(THUMBNAIL.width)}:${String(THUMBNAIL.height)}:flags=neighbor,format=gray`;
  return {
    args: [
      ...TALKATIVE,
      ...['-filter_threads', '1', '-threads', '1', '-flags', 'low_delay', '-max_pixels', String(MAX_PIXELS)],
      ...NO_PROBING,
      ...hardware(camera, codec),
      ...['-f', 'ivf', '-i', 'pipe:0', '-copyts'],
      // First: it is there when its picture has been encoded.
      ...['-map', '0:v:0', '-vf', `${wanted},${thumbnail}`, ...ownTimes],
      ...['-c:v', 'rawvideo', '-threads', '1', ...toSplitter({ fd: 3 })],
      ...['-map', '0:v:0', '-vf', `${wanted}${scale}`, ...ownTimes],
      ...(camera.format === 'jpeg' ? jpegEncoder(camera.quality) : PPM),
      // On all sides: with more, an encoder holds each picture back for a whole period.
      ...['-threads', '1', ...toSplitter()],
    ],
    stdin: '',
  };
}

/** Decoded pictures come back to memory by themselves. Intel's Quick Sync has decoders of its own. */
function hardware({ hwaccel }: CameraSpec, codec: string): readonly string[] {
  if (hwaccel === undefined) return ['-c:v', codec];
  return ['-hwaccel', hwaccel, '-c:v', hwaccel === 'qsv' ? `${codec}_qsv` : codec];
}

/** ffmpeg's codecs whose keyframes need no decoder: stored as they are, or, of a synthetic picture, encoded by sharp. */
const STORED_AS: Readonly<Record<string, FrameFormat | 'ppm'>> = {
  mjpeg: 'jpeg',
  h264: 'h264',
  hevc: 'h265',
  ppm: 'ppm',
};

/** The format a codec's keyframes are in already; undefined when there is none for it. */
export function formatOfCodec(codec: string): FrameFormat | 'ppm' | undefined {
  return STORED_AS[codec];
}

/** True for a codec whose packets may have lengths instead of start codes. */
export function hasLengthPrefixes(codec: string): boolean {
  return codec in TO_ANNEX_B;
}

/** True for a source that ffmpeg reads at its own speed, because it has no clock of its own that is worth having. */
export function isPaced(source: CameraSource): boolean {
  return source.kind !== 'stream';
}

/** True for a source whose sender may tell its own time: by RTCP, and only RTSP brings that. */
export function hasSenderTimes(source: CameraSource): boolean {
  return source.kind === 'stream' && /^rtsps?:/.test(source.url);
}

interface Input {
  readonly input: readonly string[];
  readonly stdin: string;
}

function testInput(pattern: string, { periodMs, format, quality, width }: CameraSpec): string[] {
  const rate = (TEST_OVERSAMPLING * 1000) / periodMs;
  return [
    ...['-re', '-f', 'lavfi', '-i', `${pattern}=size=1280x720:rate=${String(rate)}`],
    ...(width === undefined ? [] : ['-vf', `scale=${String(width)}:-2`]),
    ...(format === 'png' || format === 'webp' ? PPM : jpegEncoder(quality)),
    ...['-map', '0:v:0', '-threads', '1'],
  ];
}

function fileInput(path: string): Input {
  const input = [
    '-re',
    '-stream_loop',
    '-1',
    '-protocol_whitelist',
    'file',
    '-threads',
    '1',
    '-i',
    `file:${path}`,
  ];
  return { input, stdin: '' };
}

/** Protocols each kind of stream may open, directly or by a playlist; `file` is in none. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtsp: 'pipe,fd,rtp,udp,tcp,tls',
  http: 'pipe,fd,http,https,tcp,tls,crypto',
  rtmp: 'pipe,fd,rtmp,rtmps,tcp,tls',
};

function streamInput({ url, transport }: Extract<CameraSource, { kind: 'stream' }>): Input {
  const scheme = new URL(url).protocol.replace(/s?:$/, '');
  const timeout = String(NETWORK_TIMEOUT_MS * 1000);
  const options =
    scheme === 'rtsp'
      ? [`option rtsp_transport ${transport}`, `option timeout ${timeout}`, ...AT_FIRST_PACKET]
      : [`option rw_timeout ${timeout}`];
  return {
    input: [
      ...['-use_wallclock_as_timestamps', '1', '-fflags', '+nobuffer', '-f', 'concat', '-safe', '0'],
      ...['-protocol_whitelist', PROTOCOLS[scheme] ?? 'pipe,fd', '-threads', '1'],
      ...NO_PROBING,
      ...['-i', 'pipe:0'],
    ],
    stdin: [
      'ffconcat version 1.0',
      // The configuration left no quotation mark in it.
      `file '${url}'`,
      ...options,
      'option fpsprobesize 0',
      'option analyzeduration 1000000',
      '',
    ].join('\n'),
  };
}

/**
 * ffmpeg's quantiser for a JPEG quality of 1 to 100. libjpeg scales its tables by (200 - 2q)/100, or 50/q below 50;
 * ffmpeg by its quantiser, and 15 of those are libjpeg's 1.0 (measured: quantiser 6 equals quality 80). The standard
 * Huffman tables save the second pass over the picture: two fifths of the encoder's time for some 5 % more bytes.
 */
function jpegEncoder(quality: number): readonly string[] {
  const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
  const quantiser = Math.min(31, Math.max(1, Math.round(15 * scale)));
  return ['-c:v', 'mjpeg', '-huffman', 'default', '-qmin', '1', '-q:v', String(quantiser)];
}
