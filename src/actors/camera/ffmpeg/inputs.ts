/** The input part of a receiving ffmpeg's command line: what it opens, and what else it may open. Pure. */
import type { CameraSource, CameraSpec, CameraTls } from '../../../config/topology';
import { jpegEncoder, PPM } from './encoder-arguments';
import { NO_PROBING } from './invocation';
import type { StreamForm } from './stream-form';

/**
 * Multiple of the longer of `connectMs` and `stallMs` after which ffmpeg gives up a silent network read. The
 * camera's own watchdog (capture/deadline.ts) waits for three intervals between packets, each at most
 * `stallMs`, and decides first.
 */
const NETWORK_TIMEOUTS = 3;
/** Pictures of a synthetic camera per sampling period: two, so that one always falls into it. */
const TEST_OVERSAMPLING = 2;

/**
 * For RTSP the description contains all there is to find. Without this option ffmpeg 5.1 decodes for up to a
 * second and drops the keyframe that arrives meanwhile, which delays the first picture by a second. The first
 * packet must be video.
 */
const AT_FIRST_PACKET = ['option probesize 32'] as const;
/** Sets up no other tracks, so that nothing they send or refuse affects the video. */
const VIDEO_ONLY = ['option allowed_media_types video'] as const;
/** The first of several video tracks. Not for MPEG-TS, whose video and sound are one RTSP track. */
const FIRST_TRACK = ['option max_streams 1'] as const;
/**
 * Drops the data read to find the tracks, which would otherwise be delivered late as the first packets. Not
 * used if the very first packet suffices: it may be the keyframe many cameras begin with, and the next may be
 * far off.
 */
const FORGETS_ANALYZED = ['-fflags', '+nobuffer'] as const;
/** Microseconds of a feed that are examined to find its tracks. */
const ANALYZE_US = 1_000_000;
/** Facts about a stream that were found just before it is opened. */
export interface StreamOpening {
  /** Opened in place of the source's URL: the target of redirects, or a relay. */
  readonly url?: string;
  /** Receive only the first video track. */
  readonly firstTrackOnly?: boolean;
}

/**
 * Demuxers that external data may select by their first bytes: video containers that open nothing else. ffmpeg has 300,
 * most of them for games and instruments, and barely reviewed.
 */
const CONTAINERS =
  'mpegts,mpeg,flv,live_flv,mov,matroska,avi,asf,nut,ogg,ivf,obu,h264,hevc,m4v,mpegvideo,mjpeg,mpjpeg,dhav';
const FORMATS: Readonly<Record<string, string>> = { rtsp: 'rtsp', http: CONTAINERS, rtmp: 'flv,live_flv' };
const FILES = `${CONTAINERS},mxf,dv,gif,apng,yuv4mpegpipe,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,image2`;

export interface Input {
  readonly input: readonly string[];
  readonly stdin: string;
}

export function testInput(pattern: string, { periodMs, format, quality, width }: CameraSpec): string[] {
  const rate = (TEST_OVERSAMPLING * 1000) / periodMs;
  return [
    ...['-re', '-f', 'lavfi', '-i', `${pattern}=size=1280x720:rate=${rate}`],
    ...(width === undefined ? [] : ['-vf', `scale=${width}:-2`]),
    ...(format === 'png' || format === 'webp' ? PPM : jpegEncoder(quality)),
    ...['-map', '0:v:0', '-threads', '1'],
  ];
}

export function fileInput(path: string): Input {
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

/**
 * Where ffmpeg reads an HTTP body. It does not open the URL itself, as it would follow redirects to anywhere.
 */
const BODY_URL = 'pipe:3';
/** Protocols each kind of stream may open, directly or through a playlist; none may open `file`. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtsp: 'pipe,fd,rtp,udp,tcp,tls',
  http: 'pipe',
  rtmp: 'pipe,fd,rtmp,rtmps,tcp,tls',
};

export function streamInput(
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
      `option analyzeduration ${videoIsLate === true ? connectMs * 1000 : ANALYZE_US}`,
      '',
    ].join('\n'),
  };
}

/** Options for certificate verification, which ffmpeg does not have for RTSP. */
function verification(tls: CameraTls | undefined): string[] {
  if (tls === undefined) return [];
  return ['option tls_verify 1', ...(tls.ca === undefined ? [] : [`option ca_file ${quoted(tls.ca)}`])];
}

/**
 * Quotes a URL for ffconcat (ffmpeg-utils, "Quoting and escaping"): at a quotation mark the quoted text ends,
 * the mark follows escaped, and a new quoted text begins.
 * @throws RangeError for a URL with control characters: a line end would begin another directive
 */
function quoted(url: string): string {
  if (/\p{Cc}/u.test(url)) throw new RangeError('a URL with a control character');
  return `'${url.replaceAll("'", String.raw`'\''`)}'`;
}
