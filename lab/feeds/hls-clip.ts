/** Segments of HLS for tests: ffmpeg's test picture, in the container, codec and lengths asked for. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process';

export interface HlsClipOptions {
  readonly container?: 'mpegts' | 'fmp4';
  readonly codec?: 'libx264' | 'libx265';
  readonly size?: string;
  /** Other video than ffmpeg's test picture: a graph for `lavfi`. */
  readonly source?: string;
  readonly fps?: number;
  readonly seconds?: number;
  readonly segmentS?: number;
  /** Distance of keyframes; segments are cut without regard to them when it is longer. */
  readonly keyframeS?: number;
  readonly bFrames?: number;
  readonly audio?: boolean;
  /** Nothing but sound. */
  readonly audioOnly?: boolean;
}

export interface HlsClip {
  /** What fragmented MP4 begins with. */
  readonly head?: Buffer | undefined;
  readonly segments: readonly Buffer[];
  readonly segmentMs: number;
}

/** ffmpeg's test picture in segments. */
export async function hlsClip(options: HlsClipOptions = {}): Promise<HlsClip> {
  const { container = 'mpegts', codec = 'libx264', size = '320x180', fps = 10, seconds = 12 } = options;
  const { segmentS = 1, keyframeS = 1, bFrames = 0, audio = false, audioOnly = false } = options;
  const { source = `testsrc2=size=${size}:rate=${fps}` } = options;
  const folder = await mkdtemp(join(tmpdir(), 'vigil-hls-clip-'));
  const gop = String(Math.round(keyframeS * fps));
  const video = ['-f', 'lavfi', '-i', source];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440'];
  const encoded =
    codec === 'libx264'
      ? ['-preset', 'ultrafast', '-bf', String(bFrames), '-sc_threshold', '0']
      : [
          '-preset',
          'ultrafast',
          '-tag:v',
          'hvc1',
          '-x265-params',
          `log-level=none:scenecut=0:bframes=${bFrames}`,
        ];
  try {
    const { code, stderr } = await run('ffmpeg', [
      ...['-nostdin', '-v', 'error', ...(audioOnly ? [] : video), ...(audio || audioOnly ? sound : [])],
      ...(audioOnly ? [] : ['-c:v', codec, ...encoded, '-pix_fmt', 'yuv420p', '-g', gop, '-keyint_min', gop]),
      ...(audio || audioOnly ? ['-c:a', 'aac'] : []),
      ...['-t', String(seconds), '-f', 'hls', '-hls_time', String(segmentS), '-hls_list_size', '0'],
      ...(keyframeS > segmentS ? ['-hls_flags', 'split_by_time'] : []),
      ...(container === 'fmp4' ? ['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'head.mp4'] : []),
      ...[
        '-hls_segment_filename',
        join(folder, `s%04d.${container === 'fmp4' ? 'm4s' : 'ts'}`),
        join(folder, 'list.m3u8'),
      ],
    ]);
    if (code !== 0) throw new Error(`no clip: ${stderr}`);
    const names = (await readdir(folder)).filter((name) => name.startsWith('s')).sort();
    const segments = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const head = container === 'fmp4' ? await readFile(join(folder, 'head.mp4')) : undefined;
    return { segments, segmentMs: segmentS * 1000, head };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
