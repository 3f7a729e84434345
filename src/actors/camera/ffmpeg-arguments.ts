/** The command line of a receiving ffmpeg, as a pure function of the camera's settings. Measured and explained in docs/capture.md. */
import type { CameraSource, CameraSpec } from '../../config/topology';
import type { FrameFormat } from '../../contract/frame';
import { jpegEncoder, PPM } from './encoder-arguments';

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
/**
 * No part of a feed is larger; a JPEG of 8K in the best quality has some 30 MB. Without this bound a picture that does not
 * end takes all memory there is: 4 GB in 10 s were measured, where 110 MB are now.
 */
export const MAX_RECEIVED_BYTES = 64 * 1024 * 1024;
/** Milliseconds after which ffmpeg gives up a silent network read; it takes them in microseconds. */
export const NETWORK_TIMEOUT_MS = 5000;
/** Pictures of a synthetic camera per sampling period: two, so that one always falls into it. */
const TEST_OVERSAMPLING = 2;

const QUIET = ['-nostats', '-hide_banner', '-v', 'error'] as const;
/** libavutil refuses any single piece of memory above this; a picture is received into one. */
const BOUNDED = ['-max_alloc', String(MAX_RECEIVED_BYTES)] as const;
/** Found in the first packet what there is to find; more probing only delays the first picture. */
export const NO_PROBING = ['-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32'] as const;
/**
 * Of RTSP the description tells all there is to find. Without it ffmpeg 5.1 decodes for up to a second, and forgets the
 * keyframe that came meanwhile: the first picture is a second later.
 */
const AT_FIRST_PACKET = ['option probesize 32'] as const;
/** Only keyframes pass, as an argument of tee, which takes one level of backslashes off and its outputs another. */
const KEYFRAMES_ONLY = 'noise=amount=0\\\\:drop=not(key)';
/**
 * The same with the packet behind each: it is the keyframe's other field. A variable remembers the last packet's kind; its comma has one
 * level of backslashes more, which the list of filters takes off.
 */
const KEYFRAMES_OF_FIELDS = 'noise=amount=0\\\\:drop=not(key+ld(0))+0*st(0\\\\\\\\\\\\\\,key)';

/**
 * A line of framecrc with time and size, then the bytes it tells of: see packet-splitter.ts. The bitstream filters are
 * tee's, once for each: ffmpeg's own (-bsf) see an end where a file begins anew, and then pass nothing more.
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

/** What openings of a feed before have shown of its packets. */
export interface PacketForm {
  /** Codec whose packets were found to have lengths instead of start codes. */
  readonly lengthPrefixed?: string;
  /** A picture comes in two packets, one for each field. */
  readonly fieldCoded?: true;
}

/** Receives the feed and decodes nothing: every packet comes on fd 1, the sender's times on fd 3. Only a synthetic picture is encoded here. */
export function receiverInvocation(
  camera: CameraSpec,
  { lengthPrefixed, fieldCoded }: PacketForm = {},
): FfmpegInvocation {
  const { source } = camera;
  if (source.kind === 'test')
    return { args: [...QUIET, ...BOUNDED, ...testInput(source.pattern, camera), ...toSplitter()], stdin: '' };
  if (source.kind === 'still') throw new Error('still pictures are not read by ffmpeg');
  const { input, stdin } = source.kind === 'file' ? fileInput(source.path) : streamInput(source);
  // The filter to start codes has the parameter sets with IDR pictures alone; not every keyframe is one.
  const toAnnexB = TO_ANNEX_B[lengthPrefixed ?? ''];
  const unify = [...(toAnnexB === undefined ? [] : [toAnnexB]), 'dump_extra=freq=keyframe'].join(',');
  const keyframes = fieldCoded === true ? KEYFRAMES_OF_FIELDS : KEYFRAMES_ONLY;
  const filters = camera.format === 'keyframe' ? [keyframes, unify] : [unify];
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
 * @param analyzeMs media that is looked through for the parameters of all tracks: more than the first segment is waited for
 */
export function segmentsInvocation(
  { format }: CameraSpec,
  { lengthPrefixed, fieldCoded }: PacketForm,
  analyzeMs: number,
): FfmpegInvocation {
  const toAnnexB = TO_ANNEX_B[lengthPrefixed ?? ''];
  const keyframes = fieldCoded === true ? KEYFRAMES_OF_FIELDS : KEYFRAMES_ONLY;
  const filters = [
    ...(format === 'keyframe' ? [keyframes] : []),
    ...(toAnnexB === undefined ? [] : [toAnnexB, 'dump_extra=freq=keyframe']),
  ];
  return {
    args: [
      ...[...QUIET, ...BOUNDED, '-protocol_whitelist', 'pipe', '-threads', '1', '-fpsprobesize', '0'],
      ...['-analyzeduration', String(Math.round(analyzeMs * 1000)), '-probesize', String(MAX_RECEIVED_BYTES)],
      ...['-i', 'pipe:0', '-copyts', '-copytb', '1', '-map', '0:v:0', '-c', 'copy'],
      ...toSplitter({ filters }),
    ],
    stdin: '',
  };
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
