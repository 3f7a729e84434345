/** Live video over plain HTTP in any container of ffmpeg's: encoded for each client, in real time. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { HOST, listen } from '../loopback-server';

export interface ProgressiveServer {
  /** The URL of video in that container, at this many pictures a second. */
  url(container: keyof typeof CONTAINERS, fps: number): string;
  stop(): Promise<void>;
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
const FRAGMENTED = ['-movflags', '+empty_moov+default_base_moof+frag_every_frame'];

/** Encoder and muxer of each, and the type that is said of it. */
export const CONTAINERS = {
  mpjpeg: { args: ['-c:v', 'mjpeg', '-f', 'mpjpeg'], type: 'multipart/x-mixed-replace;boundary=ffmpeg' },
  mjpeg: { args: ['-c:v', 'mjpeg', '-f', 'mjpeg'], type: 'video/x-motion-jpeg' },
  mpegts: { args: [...H264, '-f', 'mpegts', '-muxdelay', '0'], type: 'video/mp2t' },
  mp4: { args: [...H264, ...FRAGMENTED, '-f', 'mp4'], type: 'video/mp4' },
  matroska: {
    args: [...H264, '-f', 'matroska', '-live', '1', '-cluster_time_limit', '1'],
    type: 'video/x-matroska',
  },
  webm: {
    args: [
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-f',
      'webm',
      '-live',
      '1',
      '-cluster_time_limit',
      '1',
    ],
    type: 'video/webm',
  },
  flv: { args: [...H264, '-f', 'flv', '-flvflags', 'no_duration_filesize'], type: 'video/x-flv' },
  h264: { args: [...H264, '-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'], type: 'video/h264' },
  ogg: { args: ['-c:v', 'libtheora', '-f', 'ogg', '-page_duration', '1'], type: 'video/ogg' },
  avi: { args: ['-c:v', 'mjpeg', '-f', 'avi'], type: 'video/x-msvideo' },
  nut: { args: [...H264, '-f', 'nut'], type: 'video/x-nut' },
} as const;

export async function startProgressiveServer(port = 0): Promise<ProgressiveServer> {
  const encoders = new Set<ChildProcess>();
  const server = createServer((request, response) => {
    const [, name = '', fps = '25'] = (request.url ?? '').split('/');
    if (!(name in CONTAINERS)) {
      response.writeHead(404).end();
      return;
    }
    const { args, type } = CONTAINERS[name as keyof typeof CONTAINERS];
    const encoder = spawn(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${fps}`],
        ...[...args.slice(0, 2), '-g', fps, ...args.slice(2), '-flush_packets', '1', 'pipe:1'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    encoders.add(encoder);
    encoder.once('close', () => encoders.delete(encoder));
    response.writeHead(200, { 'content-type': type });
    response.socket?.setNoDelay(true);
    encoder.stdout.pipe(response);
    response.once('close', () => encoder.kill('SIGKILL'));
  });
  const listening = await listen(server, port);
  return {
    url: (container, fps) => `http://${HOST}:${listening.port}/${container}/${fps}`,
    stop: async () => {
      await listening.stop();
      for (const encoder of encoders) encoder.kill('SIGKILL');
    },
  };
}
