/** Decodes a keyframe that was stored as the camera sent it, with ffmpeg. */
import { whyNotStarted } from '../os/child-process';
import { pipeThrough, type Piped } from '../os/pipe-through';
import type { DecodedFrame } from './decode';
import { ConsumerError, UndecodableError } from './fault';

const DEMUXERS = { h264: 'h264', h265: 'hevc' } as const;
export type KeyframeFormat = keyof typeof DEMUXERS;

/** A 4K picture takes 0.3 s, and longer on a busy machine. */
const DEADLINE_MS = 15_000;
const MAX_STDERR_CHARS = 500;
/** For a PPM: its format, its size and its depth. */
const MAX_HEADER_BYTES = 100;

/**
 * The keyframe's pixels. Throws an {@link UndecodableError} if the bytes are no keyframe, or one of more than
 * `maxPixels`; a {@link ConsumerError} `no-ffmpeg` if ffmpeg cannot be run; an error without a code if it
 * takes too long.
 */
export async function decodeKeyframe(
  bytes: Buffer,
  format: KeyframeFormat,
  maxPixels: number,
  ffmpeg: string,
): Promise<DecodedFrame> {
  const piped = await pipeThrough(ffmpeg, argumentsFor(format, maxPixels), bytes, {
    deadlineMs: DEADLINE_MS,
    maxOutputBytes: 3 * maxPixels + MAX_HEADER_BYTES,
    maxStderrChars: MAX_STDERR_CHARS,
  });
  const { startError: cause, exceeded, stderr } = piped;
  if (cause !== undefined)
    throw new ConsumerError('no-ffmpeg', `ffmpeg cannot be run: ${whyNotStarted(cause)}`, { cause });
  if (exceeded === 'time')
    throw new Error(`ffmpeg took more than ${DEADLINE_MS} ms to decode a ${format} keyframe`);
  const problem = problemOf(piped);
  if (problem !== undefined) throw new ConsumerError('no-ffmpeg', problem);
  return readPpm(piped.output, format, stderr);
}

/** Messages of ffmpeg, setpriv and the program loader if the keyframe is not the cause. */
const CANNOT_RUN =
  /^setpriv: |error while loading shared libraries|Unknown (input format|encoder|decoder)|Decoder .* not found|Unrecognized option|Option .* not found|Cannot allocate memory|Resource temporarily unavailable|Too many open files|pthread_create/im;

function problemOf({ stderr, output, code, signal, exceeded }: Piped): string | undefined {
  if (exceeded === undefined && (signal === 'SIGKILL' || signal === 'SIGTERM'))
    return `ffmpeg was ended by ${signal}, perhaps for want of memory`;
  // For a keyframe that it cannot decode, ffmpeg writes a message.
  if (code !== null && code !== 0 && output.length === 0 && stderr === '')
    return `ffmpeg ended with code ${code} and said nothing`;
  return CANNOT_RUN.test(stderr) ? `ffmpeg cannot be run: ${stderr.trim()}` : undefined;
}

function argumentsFor(format: KeyframeFormat, maxPixels: number): string[] {
  const input = [
    '-nostats',
    '-hide_banner',
    '-v',
    'error',
    '-threads',
    '1',
    '-max_pixels',
    String(maxPixels),
  ];
  const picture = [
    '-map',
    '0:v:0',
    '-frames:v',
    '1',
    '-c:v',
    'ppm',
    '-pix_fmt',
    'rgb24',
    '-f',
    'image2pipe',
    'pipe:1',
  ];
  // Not rotated: the announcement states the rotation.
  const source = ['-noautorotate', '-protocol_whitelist', 'pipe', '-f', DEMUXERS[format], '-i', 'pipe:0'];
  return [...input, ...source, ...picture];
}

function readPpm(ppm: Buffer, format: KeyframeFormat, stderr: string): DecodedFrame {
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(ppm.toString('latin1', 0, 40));
  const [width, height] = [Number(header?.[1] ?? 0), Number(header?.[2] ?? 0)];
  const data = ppm.subarray(header?.[0].length ?? 0);
  // Messages of ffmpeg at this level mean damage it has concealed.
  if (header === null || data.length !== 3 * width * height || stderr !== '') {
    throw new UndecodableError(`the ${format} keyframe cannot be decoded: ${lastLine(stderr)}`);
  }
  return { data, width, height, channels: 3 };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
