/** The ffmpeg command line of a camera, as a pure function of its settings. */
import type { CameraSource, CameraSpec } from '../../config/topology';

export interface FfmpegInvocation {
  readonly args: readonly string[];
  /** Written to standard input and closed: it names the stream, so that its URL is in no process list. */
  readonly stdin: string;
  /** What arrives on fd 1. */
  readonly output: 'jpeg' | 'ppm';
}

/** Decoded pictures above this are refused by ffmpeg itself: 8K UHD has 33 million pixels. */
const MAX_PIXELS = 40_000_000;
/** Milliseconds after which ffmpeg gives up a silent network read; it takes them in microseconds. */
export const NETWORK_TIMEOUT_MS = 5000;
/** Pictures per second of the synthetic cameras: twice the highest sampling rate. */
const TEST_RATE = 10;

/**
 * ffmpeg arguments for one camera. Pictures come on fd 1, one framecrc line for each on fd 3 with its presentation
 * time (milliseconds since the epoch) and its exact size. Measured and explained in docs/capture.md.
 */
export function ffmpegInvocation(camera: CameraSpec): FfmpegInvocation {
  const { input, stdin, paced } = inputOf(camera.source);
  const output = camera.format === 'jpeg' ? 'jpeg' : 'ppm';
  return {
    args: [
      ...['-nostats', '-hide_banner', '-v', 'error'],
      ...input,
      ...['-copyts', '-map', '0:v:0', '-vf', filters(camera, paced)],
      ...['-enc_time_base', '1/1000', '-fps_mode', 'passthrough'],
      ...(output === 'jpeg' ? jpegEncoder(camera.quality) : ['-c:v', 'ppm', '-pix_fmt', 'rgb24']),
      // On both sides: with more, the encoder holds each picture back for a whole period.
      ...['-threads', '1', '-f', 'tee', '[f=image2pipe]pipe\\:1|[f=framecrc]pipe\\:3'],
    ],
    stdin,
    output,
  };
}

interface Input {
  readonly input: readonly string[];
  readonly stdin: string;
  /** The source has no clock of its own that is worth having: it is read at its own speed and stamped when shown. */
  readonly paced: boolean;
}

function inputOf(source: CameraSource): Input {
  const decoder = ['-threads', '1', '-max_pixels', String(MAX_PIXELS)];
  switch (source.kind) {
    case 'test':
      return {
        input: ['-re', '-f', 'lavfi', '-i', `${source.pattern}=size=1280x720:rate=${String(TEST_RATE)}`],
        stdin: '',
        paced: true,
      };
    case 'file':
      return {
        input: [
          ...['-re', '-stream_loop', '-1', '-protocol_whitelist', 'file'],
          ...decoder,
          ...['-i', `file:${source.path}`],
        ],
        stdin: '',
        paced: true,
      };
    case 'stream':
      return streamInput(source.url, source.transport, decoder);
  }
}

/** Protocols each kind of stream may open, directly or by a playlist; `file` is in none. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtsp: 'pipe,fd,rtp,udp,tcp,tls',
  http: 'pipe,fd,http,https,tcp,tls,crypto',
  rtmp: 'pipe,fd,rtmp,rtmps,tcp,tls',
};

function streamInput(url: string, transport: 'tcp' | 'udp', decoder: readonly string[]): Input {
  const scheme = new URL(url).protocol.replace(/s?:$/, '');
  // A playlist delivers whole segments at once: only pacing spreads them over their seconds again.
  const paced = scheme === 'http' && new URL(url).pathname.endsWith('.m3u8');
  const options =
    scheme === 'rtsp'
      ? [`option rtsp_transport ${transport}`, `option timeout ${String(NETWORK_TIMEOUT_MS * 1000)}`]
      : [`option rw_timeout ${String(NETWORK_TIMEOUT_MS * 1000)}`];
  return {
    input: [
      ...(paced ? ['-re'] : ['-use_wallclock_as_timestamps', '1']),
      ...['-f', 'concat', '-safe', '0', '-protocol_whitelist', PROTOCOLS[scheme] ?? 'pipe,fd'],
      ...decoder,
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
    paced,
  };
}

/** One picture per period of wall-clock time, in milliseconds throughout: whole numbers compare exactly. */
function filters({ periodMs, width }: CameraSpec, paced: boolean): string {
  const period = (pts: string) => `floor(${pts}/${String(periodMs)})`;
  return [
    'settb=1/1000',
    ...(paced ? ["setpts='floor(time(0)*1000)'"] : []),
    `select='isnan(prev_selected_pts)+gt(${period('pts')},${period('prev_selected_pts')})'`,
    ...(width === undefined ? [] : [`scale=${String(width)}:-2`]),
  ].join(',');
}

/**
 * ffmpeg's quantiser for a JPEG quality of 1 to 100. libjpeg scales its tables by (200 - 2q)/100, or 50/q below 50;
 * ffmpeg by its quantiser, and 15 of those are libjpeg's 1.0 (measured: quantiser 6 equals quality 80).
 */
function jpegEncoder(quality: number): readonly string[] {
  const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
  const quantiser = Math.min(31, Math.max(1, Math.round(15 * scale)));
  return ['-c:v', 'mjpeg', '-qmin', '1', '-q:v', String(quantiser)];
}
