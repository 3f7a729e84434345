/** ffmpeg as a client of the feed servers. */
import assert from 'node:assert/strict';
import { CLIP_DEFAULTS } from './clips';
import { run, spawnOwned, type OwnedProcess } from '../process';

const { width, height } = CLIP_DEFAULTS;
const PICTURE_BYTES = width * height;
export const USER = { username: 'us er@é/x', password: 'p:@ß%/?#&"\\\' $`' };
export const TCP = ['-rtsp_transport', 'tcp', '-timeout', '5000000'];
export const UDP = ['-rtsp_transport', 'udp', '-timeout', '5000000'];
const QUICK = ['-fpsprobesize', '0', '-analyzeduration', '1000000'];

function decoder(url: string, options: readonly string[], output: readonly string[] = []): string[] {
  const input = ['-nostdin', '-nostats', '-hide_banner', ...QUICK, ...options, '-threads', '1', '-i', url];
  const pictures = ['-map', '0:v:0', '-pix_fmt', 'gray', '-fps_mode', 'passthrough', '-f', 'rawvideo'];
  return [...input, ...pictures, ...output, 'pipe:1'];
}

/** Fails unless ffmpeg decodes three different, contrasty pictures of the expected codec from the URL. */
export async function assertDecodable(
  url: string,
  codec: string,
  options: readonly string[] = [],
): Promise<void> {
  const { code, stdout, stderr } = await run('ffmpeg', decoder(url, options, ['-frames:v', '3']));
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`Video: ${codec}\\b`));
  assert.equal(stdout.length, 3 * PICTURE_BYTES, stderr);
  const [first, second, third] = [0, 1, 2].map((n) =>
    stdout.subarray(n * PICTURE_BYTES, (n + 1) * PICTURE_BYTES),
  );
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.ok(!first.equals(second) && !second.equals(third), 'the picture moves');
  assert.ok(contrast(first) > 150, `contrast ${contrast(first)}`);
}

function contrast(picture: Buffer): number {
  const sorted = Uint8Array.from(picture).sort();
  return (sorted.at(-1) ?? 0) - (sorted.at(0) ?? 0);
}

export async function assertRefused(
  url: string,
  text: RegExp,
  options: readonly string[] = [],
): Promise<void> {
  const { code, stdout, stderr } = await run('ffmpeg', decoder(url, options, ['-frames:v', '1']));
  assert.notEqual(code, 0);
  assert.equal(stdout.length, 0);
  assert.match(stderr, text);
}

/** A client that stays: `pictures()` counts what it has decoded. */
export async function watch(
  url: string,
  options: readonly string[],
): Promise<OwnedProcess & { pictures(): number }> {
  const program = await spawnOwned('ffmpeg', decoder(url, options));
  let bytes = 0;
  program.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
  return { ...program, pictures: () => Math.floor(bytes / PICTURE_BYTES) };
}
