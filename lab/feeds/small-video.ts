/** A video so small that dozens of cameras looping it leave the machine to what is tested. */
import path from 'node:path';
import { run } from '../process';

/** Makes `<dir>/small.mp4`: 160x90 at 5 pictures a second, which loops every 10 s by default. */
export async function smallVideo(dir: string, seconds = 10): Promise<string> {
  const file = path.join(dir, 'small.mp4');
  const { code, stderr } = await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=5:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p', file],
  ]);
  if (code !== 0) throw new Error(`no video was made: ${stderr}`);
  return file;
}
