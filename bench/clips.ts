/** Clips with the bit rates of cameras: a moving picture with noise. Made once, then served without being encoded again. */
import { mkdir, rename, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { run } from '../lab/process';
import type { Codec } from '../lab/feeds/clips';
import { withNumbers } from '../lab/picture-number';

export interface Case {
  readonly codec: Codec;
  readonly size: string;
  readonly fps: number;
  readonly keyframeIntervalS: number;
  readonly kilobits: number;
  /** Frames from each keyframe to the next, in place of `keyframeIntervalS`; their sum is the clip's length. */
  readonly keyframeDistances?: readonly number[];
  /** Every picture carries its number: picture-number.ts. */
  readonly numbered?: boolean;
}

const H264 = { codec: 'h264', size: '1920x1080', fps: 25, keyframeIntervalS: 1, kilobits: 3900 } as const;

export const CASES: Readonly<Record<string, Case>> = {
  k1: H264,
  k2: { ...H264, keyframeIntervalS: 2 },
  k10: { ...H264, keyframeIntervalS: 10 },
  '720p': { ...H264, size: '1280x720', kilobits: 2000 },
  '4k': { ...H264, size: '3840x2160', kilobits: 12_000 },
  h265: { ...H264, codec: 'h265', keyframeIntervalS: 2, kilobits: 2500 },
  mjpeg: { codec: 'mjpeg', size: '1280x720', fps: 10, keyframeIntervalS: 1, kilobits: 0 },
};
const SECONDS = 20;
const DEADLINE_MS = 600_000;

/** Path of the clip. Raise the number in its name when the recipe changes. */
export async function benchClip(name: string, wanted = CASES[name]): Promise<string> {
  if (wanted === undefined) throw new Error(`no case ${name}; there are ${Object.keys(CASES).join(', ')}`);
  const folder = path.join(tmpdir(), `vigil-bench-clips-${userInfo().uid}`);
  const file = path.join(folder, `v1-${name}.${wanted.codec}`);
  if ((await stat(file).catch(() => undefined)) !== undefined) return file;
  await mkdir(folder, { recursive: true });
  const input = ['-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', source(wanted)];
  const { code, stderr } = await run('ffmpeg', [...input, ...encoder(wanted), `${file}.part`], DEADLINE_MS);
  if (code !== 0) throw new Error(`${file}: ${stderr}`);
  await rename(`${file}.part`, file);
  return file;
}

function source({ size, fps, keyframeDistances, numbered = false }: Case): string {
  const seconds = keyframeDistances === undefined ? SECONDS : sum(keyframeDistances) / fps;
  const scene = `testsrc2=size=${size}:rate=${fps}:duration=${seconds},noise=alls=6:allf=t`;
  return numbered ? withNumbers(scene, size.split('x')[0] ?? '', fps) : scene;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Half a frame before each, because ffmpeg uses the first frame at or after a time. */
function keyframeTimes(distances: readonly number[], fps: number): string {
  return distances
    .map((_, i) => (sum(distances.slice(0, i)) - 0.5) / fps)
    .map((s) => Math.max(0, s).toFixed(3))
    .join(',');
}

function encoder({ codec, fps, keyframeIntervalS, kilobits, keyframeDistances }: Case): string[] {
  const gop = String(fps * keyframeIntervalS);
  const rate = ['-b:v', `${kilobits}k`, '-maxrate', `${1.2 * kilobits}k`, '-bufsize', `${kilobits}k`];
  const shared = ['-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-bf', '0', ...rate];
  switch (codec) {
    case 'h264': {
      const keyframes =
        keyframeDistances === undefined
          ? ['-g', gop, '-keyint_min', gop]
          : ['-g', '9999', '-force_key_frames', keyframeTimes(keyframeDistances, fps)];
      return [
        ...['-c:v', 'libx264', ...shared, ...keyframes, '-sc_threshold', '0'],
        ...['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'],
      ];
    }
    case 'h265': {
      const keyframes = `log-level=error:open-gop=0:scenecut=0:keyint=${gop}:min-keyint=${gop}:bframes=0`;
      return [
        ...['-c:v', 'libx265', ...shared, '-preset', 'ultrafast', '-x265-params', keyframes],
        ...['-bsf:v', 'hevc_metadata=aud=insert', '-f', 'hevc'],
      ];
    }
    case 'mjpeg':
      return ['-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p', '-huffman', 'default', '-f', 'mjpeg'];
  }
}
