/** The command line of a receiving ffmpeg, as a pure function of the camera's settings. Measured and explained in docs/capture/feeds.md. */
import type { CameraSource, CameraSpec, CameraTls } from '../../../config/topology';
import type { FrameFormat } from '../../../contract/frame';
import { jpegEncoder, PPM } from './encoder-arguments';
import type { StreamForm } from './stream-form';

export interface FfmpegInvocation {
  readonly args: readonly string[];
  /** Written to standard input first; of a receiver all there is: it names the stream, so that no process list does. */
  readonly stdin: string;
  /** It needs the drivers of graphics hardware. */
  readonly usesHardware?: boolean;
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
/**
 * Times the longer of `connectMs` and `stallMs` after which ffmpeg gives up a silent network read. The camera's own watchdog
 * (feed-deadline.ts) waits for three intervals between packets, each at most `stallMs` long, and is the one that decides.
 */
const NETWORK_TIMEOUTS = 3;
/** Pictures of a synthetic camera per sampling period: two, so that one always falls into it. */
const TEST_OVERSAMPLING = 2;

const QUIET = ['-nostats', '-hide_banner', '-v', 'error'] as const;
/** libavutil refuses any single piece of memory above this; a picture is received into one. */
const BOUNDED = ['-max_alloc', String(MAX_RECEIVED_BYTES)] as const;
/** Found in the first packet what there is to find; more probing only delays the first picture. */
export const NO_PROBING = ['-fpsprobesize', '0', '-analyzeduration', '1', '-probesize', '32'] as const;
/**
 * Of RTSP the description tells all there is to find. Without it ffmpeg 5.1 decodes for up to a second, and forgets the
 * keyframe that came meanwhile: the first picture is a second later. That first packet has to be one of video.
 */
const AT_FIRST_PACKET = ['option probesize 32'] as const;
/** No other tracks are set up: what one of them sends or refuses costs the video nothing. */
const VIDEO_ONLY = ['option allowed_media_types video'] as const;
/** Of several video tracks the first. Not for MPEG-TS, whose video and sound are one track of RTSP. */
const FIRST_TRACK = ['option max_streams 1'] as const;
/**
 * What was read to find the tracks is not given, late, as the feed's first packets. Where the first packet of all suffices, it is given: with
 * it goes the keyframe that many a camera begins with, and the next may be far.
 */
const FORGETS_ANALYZED = ['-fflags', '+nobuffer'] as const;
/** Microseconds of a feed that are looked at to find its tracks. */
const ANALYZE_US = 1_000_000;
/** Packets lost over UDP are warnings, redirections are information: see receiver-words.ts. */
const HEARD = ['-nostats', '-hide_banner', '-v', 'repeat+level+info'] as const;
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
 * of JPEG (192). Their times are their numbers, from 0: the muxer gives up for good where those of a stream leap by more
 * than 6.6 hours, or back. An ffmpeg or codec that can't do it goes without.
 */
function senderTimes(unify: string): string {
  const flags = 'movflags=empty_moov+default_base_moof+frag_every_frame:write_prft=wallclock';
  const bsfs = [KEYFRAMES_ONLY, 'setts=pts=N\\\\:dts=N', unify, 'filter_units=pass_types=7\\|33\\|192'].join(
    ',',
  );
  return `[f=mp4:onfail=ignore:avoid_negative_ts=disabled:${flags}:bsfs/v=${bsfs}]pipe\\:3`;
}

/** What was learned of a stream just before it is opened. */
export interface StreamOpening {
  /** Opened in place of the source's: behind redirections, or a relay. */
  readonly url?: string;
  /** Of its video tracks the first alone. */
  readonly firstTrackOnly?: boolean;
}

/** Receives the feed and decodes nothing: every packet comes on fd 1, the sender's times on fd 3. Only a synthetic picture is encoded here. */
export function receiverInvocation(
  camera: CameraSpec,
  form: StreamForm = {},
  opening: StreamOpening = {},
): FfmpegInvocation {
  const { source } = camera;
  if (source.kind === 'test')
    return { args: [...QUIET, ...BOUNDED, ...testInput(source.pattern, camera), ...toSplitter()], stdin: '' };
  if (source.kind === 'still') throw new Error('still pictures are not read by ffmpeg');
  const { input, stdin } =
    source.kind === 'file' ? fileInput(source.path) : streamInput(source, camera, form, opening);
  // The filter to start codes has the parameter sets with IDR pictures alone; not every keyframe is one.
  const toAnnexB = TO_ANNEX_B[form.lengthPrefixed ?? ''];
  const unify = [...(toAnnexB === undefined ? [] : [toAnnexB]), 'dump_extra=freq=keyframe'].join(',');
  const keyframes = form.fieldCoded === true ? KEYFRAMES_OF_FIELDS : KEYFRAMES_ONLY;
  const filters = camera.format === 'keyframe' ? [keyframes, unify] : [unify];
  return {
    // copyinkf: what comes before the first keyframe shows that something comes.
    // copytb: the input's own unit of time, not the grid of its nominal frame rate. Undecoded, a packet that depends on
    // others is of no use: it need not leave ffmpeg.
    args: [
      ...(hasSenderTimes(source) ? HEARD : QUIET),
      ...[...BOUNDED, ...input, '-copyts', '-copytb', '1', '-map', '0:v:0', '-c', 'copy', '-copyinkf'],
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
  { lengthPrefixed, fieldCoded }: StreamForm,
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
      ...[...QUIET, ...BOUNDED, '-protocol_whitelist', 'pipe', '-format_whitelist', SEGMENTS],
      ...['-threads', '1', '-fpsprobesize', '0'],
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

/**
 * True where packets have their sender's times, which tell of delay: those of RTP and MPEG-TS count in 1/90000 s, those of
 * RTMP and FLV in milliseconds. Others ffmpeg invents, of a nominal frame rate.
 * @param unitMs milliseconds of one unit of the stream's time
 */
export function hasMediaTimes(source: CameraSource, unitMs: number): boolean {
  return !isPaced(source) && (unitMs === 1 || unitMs === 1000 / 90_000);
}

/** True for a source whose sender may tell its own time: by RTCP, and only RTSP brings that. */
export function hasSenderTimes(source: CameraSource): boolean {
  return source.kind === 'stream' && /^rtsps?:/.test(source.url);
}

/**
 * Demuxers that what comes from outside may choose by its first bytes: containers of video that open nothing else. ffmpeg has 300,
 * most of them for games and instruments, and hardly looked at.
 */
const CONTAINERS =
  'mpegts,mpeg,flv,live_flv,mov,matroska,avi,asf,nut,ogg,ivf,obu,h264,hevc,m4v,mpegvideo,mjpeg,mpjpeg,dhav';
const FORMATS: Readonly<Record<string, string>> = { rtsp: 'rtsp', http: CONTAINERS, rtmp: 'flv,live_flv' };
/** Sound too: a segment of it alone is told from one that cannot be read. */
const SEGMENTS = 'mpegts,mov,aac,mp3,ac3,eac3,webvtt';
const FILES = `${CONTAINERS},mxf,dv,gif,apng,yuv4mpegpipe,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,image2`;

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
    '-format_whitelist',
    FILES,
    '-threads',
    '1',
    '-i',
    `file:${path}`,
  ];
  return { input, stdin: '' };
}

/** Where ffmpeg reads what comes over HTTP, which it does not open itself: it would follow redirects to anywhere. */
const BODY_URL = 'pipe:3';
/** Protocols each kind of stream may open, directly or by a playlist; `file` is in none. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtsp: 'pipe,fd,rtp,udp,tcp,tls',
  http: 'pipe',
  rtmp: 'pipe,fd,rtmp,rtmps,tcp,tls',
};

function streamInput(
  { url, transport, tls }: Extract<CameraSource, { kind: 'stream' }>,
  { connectMs, stallMs }: CameraSpec,
  { videoIsLate }: StreamForm,
  opening: StreamOpening,
): Input {
  const scheme = /^[a-z]+/.exec(url)?.[0].replace(/s$/, '') ?? '';
  const timeout = String(NETWORK_TIMEOUTS * Math.max(connectMs, stallMs) * 1000);
  const { firstTrackOnly = false } = opening;
  const options =
    scheme === 'rtsp'
      ? [
          ...[
            `option rtsp_transport ${url.startsWith('rtsps:') ? 'tcp' : transport}`,
            `option timeout ${timeout}`,
            ...VIDEO_ONLY,
          ],
          ...(firstTrackOnly ? FIRST_TRACK : []),
          ...(videoIsLate === true ? [] : AT_FIRST_PACKET),
        ]
      : scheme === 'http'
        ? []
        : [`option rw_timeout ${timeout}`, ...(url.startsWith('rtmps:') ? verification(tls) : [])];
  return {
    input: [
      ...(scheme === 'rtsp' && videoIsLate !== true ? [] : FORGETS_ANALYZED),
      ...['-f', 'concat', '-safe', '0'],
      ...['-protocol_whitelist', PROTOCOLS[scheme] ?? 'pipe,fd'],
      ...['-format_whitelist', `concat,${FORMATS[scheme] ?? ''}`, '-threads', '1'],
      ...NO_PROBING,
      ...['-i', 'pipe:0'],
    ],
    stdin: [
      'ffconcat version 1.0',
      `file ${quoted(scheme === 'http' ? BODY_URL : (opening.url ?? url))}`,
      ...options,
      'option fpsprobesize 0',
      `option analyzeduration ${String(videoIsLate === true ? connectMs * 1000 : ANALYZE_US)}`,
      '',
    ].join('\n'),
  };
}

/** Over RTSP ffmpeg has no such options. */
function verification(tls: CameraTls | undefined): string[] {
  if (tls === undefined) return [];
  return ['option tls_verify 1', ...(tls.ca === undefined ? [] : [`option ca_file ${quoted(tls.ca)}`])];
}

/**
 * As ffconcat reads it back (ffmpeg-utils, "Quoting and escaping"): a quotation mark ends the text, stands escaped, and begins it anew.
 * @throws RangeError for what has a line end, which would begin another directive
 */
function quoted(url: string): string {
  if (/\p{Cc}/u.test(url)) throw new RangeError('a URL with a control character');
  return `'${url.replaceAll("'", String.raw`'\''`)}'`;
}
