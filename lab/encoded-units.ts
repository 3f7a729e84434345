/** Real video of any of ffmpeg's sources, cut into its access units. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { splitJpegs } from './feeds/clips';

export interface UnitOptions {
  /** A lavfi graph of one picture a second. */
  readonly source: string;
  readonly seconds: number;
  readonly codec?: 'h264' | 'mjpeg';
  /** Pictures from keyframe to keyframe. */
  readonly keyEvery?: number;
}

/** H.264: Annex B units that begin with their delimiter; or JPEGs. */
export async function encodedUnits({
  source,
  seconds,
  codec = 'h264',
  keyEvery = 1,
}: UnitOptions): Promise<Buffer[]> {
  const encoder =
    codec === 'h264'
      ? [
          ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0'],
          ...['-x264-params', `keyint=${keyEvery}:min-keyint=${keyEvery}:scenecut=0`],
          ...['-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264'],
        ]
      : ['-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p', '-f', 'mjpeg'];
  const input = ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(seconds)];
  const { stdout } = await promisify(execFile)('ffmpeg', [...input, ...encoder, 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  const units = codec === 'h264' ? splitUnits(stdout) : splitJpegs(stdout);
  assert.equal(units.length, seconds);
  return units;
}

function splitUnits(stream: Buffer): Buffer[] {
  const delimiter = Buffer.from([0, 0, 0, 1, 9]);
  const starts: number[] = [];
  for (let at = stream.indexOf(delimiter); at >= 0; at = stream.indexOf(delimiter, at + 1)) starts.push(at);
  return starts.map((start, i) => stream.subarray(start, starts[i + 1] ?? stream.length));
}
