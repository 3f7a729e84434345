/** A keyframe that is stored as the camera sent it, as JPEG: decoded by ffmpeg. */
import { Fault } from '../../../fault/fault';
import { MAX_PIXELS } from '../../../contract/frame';
import { pipeThrough } from '../../../os/pipe-through';

const DEMUXERS = { h264: 'h264', h265: 'hevc' } as const;
export type KeyframeFormat = keyof typeof DEMUXERS;

/** A picture of 4K takes 0.3 s, and more on a busy machine. */
const LIMITS = { deadlineMs: 10_000, maxOutputBytes: 64 * 1024 * 1024, maxStderrChars: 300 };

/** @throws Fault `undecodable` */
export async function keyframeToJpeg(bytes: Buffer, format: KeyframeFormat, ffmpeg: string): Promise<Buffer> {
  const { code, output, stderr } = await pipeThrough(ffmpeg, argumentsFor(format), bytes, LIMITS);
  if (code !== 0 || output.length === 0)
    throw new Fault(
      'undecodable',
      `ffmpeg could not decode the ${format} keyframe: ${stderr.trim() || 'it said nothing'}`,
    );
  return output;
}

function argumentsFor(format: KeyframeFormat): string[] {
  const input = [
    '-nostats',
    '-hide_banner',
    '-v',
    'error',
    '-threads',
    '1',
    '-max_pixels',
    String(MAX_PIXELS),
  ];
  const source = ['-protocol_whitelist', 'pipe', '-f', DEMUXERS[format], '-i', 'pipe:0'];
  const picture = ['-map', '0:v:0', '-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p'];
  return [...input, ...source, ...picture, '-f', 'image2pipe', 'pipe:1'];
}
