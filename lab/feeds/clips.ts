/** Pre-encoded clips that the feed servers loop: made once per set of options, shared by all test processes. */
import { randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { run } from '../process';

export const CODECS = ['h264', 'h265', 'mjpeg'] as const;
export type Codec = (typeof CODECS)[number];

export interface ClipOptions {
  readonly codec?: Codec;
  /** Pixels. MJPEG over RTSP needs multiples of 8, at most 2040 (RFC 2435). */
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Distance of keyframes; without meaning for mjpeg, whose pictures are all keyframes. */
  readonly keyframeIntervalS?: number;
  readonly seconds?: number;
}

export const CLIP_DEFAULTS: Required<ClipOptions> = {
  codec: 'h264',
  width: 640,
  height: 360,
  fps: 10,
  keyframeIntervalS: 1,
  seconds: 10,
};

/** Part of the file name: raise it when the encoder arguments change, so that no old clip is served. */
const RECIPE = 1;
const ENCODE_DEADLINE_MS = 120_000;
const inProgress = new Map<string, Promise<string>>();

/**
 * Path of a clip of ffmpeg's test picture: raw Annex-B beginning with a keyframe, access unit delimiters between the
 * pictures and no B-frames (.h264, .h265), or JPEGs end to end (.mjpeg). Throws with ffmpeg's output when it cannot be made.
 */
export function clip(options: ClipOptions = {}): Promise<string> {
  const wanted = { ...CLIP_DEFAULTS, ...options };
  const path = join(folder(), fileName(wanted));
  let made = inProgress.get(path);
  if (made === undefined) {
    made = makeOnce(path, wanted).finally(() => inProgress.delete(path));
    inProgress.set(path, made);
  }
  return made;
}

/** Cuts a .mjpeg clip into its pictures: inside one, an end marker is never followed by a start marker. */
export function splitJpegs(clipBytes: Buffer): Buffer[] {
  const border = Buffer.from([0xff, 0xd9, 0xff, 0xd8]);
  const pictures: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = clipBytes.indexOf(border, start);
    if (end === -1) return [...pictures, clipBytes.subarray(start)];
    pictures.push(clipBytes.subarray(start, end + 2));
    start = end + 2;
  }
}

function folder(): string {
  return join(tmpdir(), `vigil-test-clips-${userInfo().uid}`);
}

function fileName(wanted: Required<ClipOptions>): string {
  const { codec, width, height, fps, keyframeIntervalS, seconds } = wanted;
  const size = `${width}x${height}`;
  return `v${RECIPE}-${size}-${fps}fps-key${keyframeIntervalS}s-${seconds}s.${codec}`;
}

async function makeOnce(path: string, wanted: Required<ClipOptions>): Promise<string> {
  if (await exists(path)) return path;
  await mkdir(folder(), { recursive: true });
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    await encode(unfinished, wanted);
    await rename(unfinished, path); // of several processes the last one wins, with an equal clip
  } finally {
    await rm(unfinished, { force: true });
  }
  return path;
}

async function encode(path: string, wanted: Required<ClipOptions>): Promise<void> {
  const { width, height, fps, seconds } = wanted;
  const source = `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds}`;
  const input = ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source];
  const { code, stderr } = await run(
    'ffmpeg',
    [...input, ...encoder(wanted), '-y', path],
    ENCODE_DEADLINE_MS,
  );
  if (code !== 0) throw new Error(`clip ${path}: ffmpeg ended with ${String(code)}: ${stderr}`);
}

function encoder({ codec, fps, keyframeIntervalS }: Required<ClipOptions>): string[] {
  const gop = String(Math.max(1, Math.round(fps * keyframeIntervalS)));
  const shared = ['-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0'];
  switch (codec) {
    case 'h264': {
      const keyframes = ['-g', gop, '-keyint_min', gop, '-sc_threshold', '0'];
      return ['-c:v', 'libx264', ...shared, ...keyframes, '-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'];
    }
    case 'h265': {
      const keyframes = `log-level=error:open-gop=0:scenecut=0:keyint=${gop}:min-keyint=${gop}:bframes=0`;
      const params = ['-x265-params', keyframes, '-bsf:v', 'hevc_metadata=aud=insert'];
      return ['-c:v', 'libx265', ...shared, ...params, '-f', 'hevc'];
    }
    case 'mjpeg':
      // RFC 2435 carries no Huffman tables: the receiver assumes the standard ones, ffmpeg's default is optimal ones.
      return ['-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p', '-huffman', 'default', '-f', 'mjpeg'];
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
