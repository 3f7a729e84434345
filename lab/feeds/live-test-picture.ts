/** ffmpeg's test picture, encoded while it is sent. */

export interface PictureOptions {
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
}

/** A test picture encoded in real time, one keyframe a second: the input and encoder half of ffmpeg's arguments. */
export function liveTestPicture({ width, height, fps }: Required<PictureOptions>): string[] {
  const source = `testsrc2=size=${width}x${height}:rate=${fps}`;
  const input = ['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', source];
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
  return [...input, ...encoder, '-g', String(fps), '-keyint_min', String(fps)];
}
