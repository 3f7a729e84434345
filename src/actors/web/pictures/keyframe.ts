/** A keyframe that is stored as the camera sent it, as JPEG: decoded by ffmpeg. */
import { Fault } from '../../../fault/fault';
import { MAX_PIXELS } from '../../../contract/frame';
import { exitOf, startChild } from '../../../os/child-process';
import { dieWithParent } from '../../../os/orphans';

const DEMUXERS = { h264: 'h264', h265: 'hevc' } as const;
export type KeyframeFormat = keyof typeof DEMUXERS;

/** A picture of 4K takes 0.3 s, and more on a busy machine. */
const DEADLINE_MS = 10_000;
const MAX_JPEG_BYTES = 64 * 1024 * 1024;
const MAX_STDERR_CHARS = 300;

/** @throws Fault `undecodable` */
export async function keyframeToJpeg(bytes: Buffer, format: KeyframeFormat, ffmpeg: string): Promise<Buffer> {
  const { program, args } = dieWithParent('KILL', { program: ffmpeg, args: argumentsFor(format) });
  const child = startChild(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const exited = exitOf(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const chunks: Buffer[] = [];
  let [size, said] = [0, ''];
  // It may end before it has read everything.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(bytes);
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_JPEG_BYTES) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-MAX_STDERR_CHARS);
  });
  const { code } = await exited.finally(() => clearTimeout(timer));
  if (code !== 0 || size === 0)
    throw new Fault(
      'undecodable',
      `ffmpeg could not decode the ${format} keyframe: ${said.trim() || 'it said nothing'}`,
    );
  return Buffer.concat(chunks);
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
