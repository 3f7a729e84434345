/** Video whose camera stood on its side: files and streams that say so, read as a camera reads them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { watchFeed } from '../../lab/feeds/watch-feed';
import { until } from '../../lab/until';
import { freePort } from '../../lab/free-port';
import { untilListening } from '../../lab/feeds/rtmp';
import { run, spawnOwned } from '../../lab/process';
import { cameraSpec } from '../../lab/camera-spec';
import type { FeedOptions } from '../../src/actors/camera/feed/options';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import { StillMaker } from '../../src/actors/camera/stills/still-maker';
import { annexB, nalUnits } from '../../src/actors/camera/bitstream/nal';
import { decodeFrame } from '../../src/consumer/decode';
import type { CameraSpec } from '../../src/config/topology';

const [WIDTH, HEIGHT, MARK] = [128, 96, 32];
const SOURCE = `color=black:size=${WIDTH}x${HEIGHT}:rate=10,drawbox=w=${MARK}:h=${MARK}:color=white:t=fill`;
const ENCODERS = {
  h264: ['-c:v', 'libx264', '-g', '5', '-bf', '0', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-x265-params', 'log-level=error:keyint=5:bframes=0', '-pix_fmt', 'yuv420p'],
  mjpeg: ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj420p'],
} as const;
/** The mark of an upright picture is at the left above; turned by 90 degrees clockwise, at the right. */
const CORNERS = { 0: 'left top', 90: 'right top', 180: 'right bottom', 270: 'left bottom' } as const;
type Degrees = keyof typeof CORNERS;

let dir: string;

async function ffmpeg(...args: string[]): Promise<void> {
  const { code, stderr } = await run('ffmpeg', ['-v', 'error', '-y', ...args]);
  assert.equal(code, 0, stderr);
}

async function withMatrix(
  codec: keyof typeof ENCODERS,
  degrees: Degrees,
  isMirrored = false,
): Promise<string> {
  const [plain, file] = ['plain', 'turned'].map((name) =>
    path.join(dir, `${name}-${codec}-${degrees}-${String(isMirrored)}.mov`),
  ) as [string, string];
  await ffmpeg('-f', 'lavfi', '-i', SOURCE, '-t', '1', ...ENCODERS[codec], plain);
  await writeMatrix(plain, file, degrees, isMirrored);
  return file;
}

/** Its track header's matrix (ISO 14496-12, 8.3.2), for a turn clockwise, after left and right were swapped. */
async function writeMatrix(from: string, to: string, degrees: Degrees, isMirrored: boolean): Promise<void> {
  const bytes = await readFile(from);
  const at = bytes.indexOf('tkhd', 0, 'latin1');
  assert.ok(at > 0 && bytes[at + 4] === 0);
  const [sine, cosine] = { 0: [0, 1], 90: [1, 0], 180: [0, -1], 270: [-1, 0] }[degrees] as [number, number];
  const across = isMirrored ? -1 : 1;
  [across * cosine, across * sine, 0, -sine, cosine].forEach((value, i) => {
    const places = [0, 4, 8, 12, 16];
    bytes.writeInt32BE(value * 65_536, at + 4 + 4 + 20 + 16 + (places[i] ?? 0));
  });
  await writeFile(to, bytes);
}

/** With a display orientation message before each keyframe. @param anticlockwise in 1/65536 of a turn */
async function withMessage(codec: 'h264' | 'hevc', anticlockwise: number): Promise<string> {
  const raw = path.join(dir, `plain.${codec}`);
  await ffmpeg('-f', 'lavfi', '-i', SOURCE, '-t', '1', ...ENCODERS[codec], '-f', codec, raw);
  const bits = `000${anticlockwise.toString(2).padStart(16, '0')}10000`;
  const payload = [47, 3, ...(bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)), 0x80];
  const message = Buffer.from([...(codec === 'h264' ? [6] : [39 << 1, 1]), ...payload]);
  const isKey = (first: number) =>
    codec === 'h264' ? (first & 31) === 5 : first >> 1 >= 16 && first >> 1 <= 21;
  const units = [...nalUnits(await readFile(raw))].flatMap((nal) =>
    isKey(nal[0] ?? 0) ? [message as typeof nal, nal] : [nal],
  );
  const [said, file] = [path.join(dir, `said.${codec}`), path.join(dir, `said-${codec}.ts`)];
  await writeFile(said, annexB(units));
  await ffmpeg('-r', '10', '-f', codec, '-i', said, '-c', 'copy', file);
  return file;
}

async function exifJpeg(orientation: number): Promise<Buffer> {
  const mark = { create: { width: MARK, height: MARK, channels: 3 as const, background: 'white' } };
  return sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'black' } })
    .composite([{ input: mark, left: 0, top: 0 }])
    .jpeg()
    .withMetadata({ orientation })
    .toBuffer();
}

async function withExif(orientation: number): Promise<string> {
  const jpeg = await exifJpeg(orientation);
  const file = path.join(dir, `exif-${orientation}.mjpeg`);
  await writeFile(file, Buffer.concat(Array.from({ length: 20 }, () => jpeg)));
  return file;
}

async function firstPicture(file: string, changes: Partial<CameraSpec>): Promise<Picture> {
  const feed = watchFeed({ kind: 'file', path: file }, { periodMs: 200, ...changes });
  try {
    await until('a picture', () => feed.pictures.length > 0 || feed.faults.length > 0);
    assert.deepEqual(feed.faults, []);
    const [picture] = feed.pictures;
    assert.ok(picture);
    return picture;
  } finally {
    await feed.stop();
  }
}

async function cornerOf({ format, bytes, width, height }: Picture): Promise<string> {
  const { data, channels } =
    format === 'ppm'
      ? { data: bytes.subarray(bytes.indexOf('255\n', 0, 'latin1') + 4), channels: 3 }
      : await decodeFrame(bytes, format);
  const at = (x: number, y: number) => (data[channels * (width * y + x)] ?? 0) > 128;
  const [near, right, bottom] = [MARK / 2, width - MARK / 2, height - MARK / 2];
  const found = [
    at(near, near) ? ['left top'] : [],
    at(right, near) ? ['right top'] : [],
    at(right, bottom) ? ['right bottom'] : [],
    at(near, bottom) ? ['left bottom'] : [],
  ].flat();
  return found.join();
}

describe('video that says how it is turned', () => {
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vigil-turn-'));
  });
  after(() => rm(dir, { recursive: true }));

  async function assertTurned(file: string, changes: Partial<CameraSpec>, degrees: Degrees): Promise<void> {
    const picture = await firstPicture(file, changes);
    assert.equal(await cornerOf(picture), CORNERS[degrees]);
    const [width, height] = degrees % 180 === 0 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
    assert.deepEqual([picture.width, picture.height], [width, height]);
    assert.deepEqual(picture.source, { width: WIDTH, height: HEIGHT });
    assert.equal(picture.turn, undefined);
  }

  for (const degrees of [90, 180, 270] as const)
    it(`in a display matrix of ${degrees} degrees is upright`, async () => {
      await assertTurned(await withMatrix('h264', degrees), {}, degrees);
    });

  for (const [degrees, corner] of [
    [0, 'right top'],
    [90, 'right bottom'],
    [180, 'left bottom'],
    [270, 'left top'],
  ] as const)
    it(`in a display matrix that mirrors, and turns by ${degrees} degrees, is upright`, async () => {
      const picture = await firstPicture(await withMatrix('h264', degrees, true), {});
      assert.equal(await cornerOf(picture), corner);
    });

  it('in a message over RTMP, which has no other way to say it, is upright', async () => {
    const port = await freePort();
    const url = `rtmp://127.0.0.1:${port}/live/cam`;
    const loop = [
      '-nostdin',
      '-v',
      'error',
      '-re',
      '-stream_loop',
      '-1',
      '-i',
      await withMessage('h264', 49_152),
    ];
    const camera = await spawnOwned('ffmpeg', [...loop, '-c', 'copy', '-f', 'flv', '-listen', '1', url]);
    await untilListening(camera, port);
    const feed = watchFeed(url, { periodMs: 200 });
    try {
      await feed.until('a picture', () => feed.pictures.length > 0);
      const [picture] = feed.pictures;
      assert.ok(picture);
      assert.equal(await cornerOf(picture), CORNERS[90]);
      assert.deepEqual([picture.width, picture.height], [HEIGHT, WIDTH]);
    } finally {
      await feed.stop();
      await camera.end();
    }
  });

  for (const [what, changes] of [
    ['PNG', { format: 'png' }],
    ['WebP', { format: 'webp' }],
    ['of keyframes alone', { sampling: 'keyframes' }],
    ['of which all is decoded', { sampling: 'all' }],
  ] as const)
    it(`is upright ${what.startsWith('of') ? what : `as ${what}`}`, async () => {
      await assertTurned(await withMatrix('hevc', 90), changes, 90);
    });

  for (const codec of ['h264', 'hevc'] as const)
    it(`in a message of ${codec} is upright`, async () => {
      await assertTurned(await withMessage(codec, 49_152), {}, 90);
    });

  it('in the Exif part of its pictures is upright', async () => {
    await assertTurned(await withExif(6), {}, 90);
  });

  it('is turned although its pictures could be stored as they are', async () => {
    await assertTurned(await withMatrix('mjpeg', 180), {}, 180);
  });

  for (const [what, changes, degrees] of [
    ['is turned upright', {}, 90],
    ['is turned upright as PNG, with a width', { format: 'png', width: 64 }, 90],
    ['is turned as was set', { rotate: 180 }, 180],
  ] as const)
    it(`as a still picture with an Exif part ${what}`, async () => {
      const given: Picture[] = [];
      const camera = cameraSpec({ ...changes, source: { kind: 'still', url: 'http://cam/still.jpg' } });
      const maker = new StillMaker({
        ...{ camera, onStream: () => undefined, onLost: () => undefined },
        onPicture: (picture: Picture) => given.push(picture),
      } as unknown as FeedOptions);
      const still = { bytes: await exifJpeg(6), checksum: '', type: 'image/jpeg' };
      await maker.make(still, { capturedAt: 0, sequence: 0 });
      const [picture] = given;
      assert.ok(picture);
      assert.deepEqual(picture.source, { width: WIDTH, height: HEIGHT });
      const [width, height] = degrees === 180 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
      const scale = 'width' in changes ? changes.width / width : 1;
      assert.deepEqual(
        [picture.width, picture.height],
        [width * scale, 2 * Math.round((height * scale) / 2)],
      );
      if (scale === 1) assert.equal(await cornerOf(picture), CORNERS[degrees]);
    });

  for (const rotate of [0, 180] as const)
    it(`is turned by ${rotate} where that was set`, async () => {
      await assertTurned(await withMatrix('h264', 90), { rotate }, rotate);
      await assertTurned(await withMessage('h264', 49_152), { rotate }, rotate);
      await assertTurned(await withExif(6), { rotate }, rotate);
    });

  for (const [what, make] of [
    ['a display matrix', () => withMatrix('h264', 270)],
    ['a message', () => withMessage('hevc', 16_384)],
  ] as const)
    it(`in ${what} stays as it is as a keyframe, which says how it is to be turned`, async () => {
      const picture = await firstPicture(await make(), { format: 'keyframe' });
      assert.equal(picture.turn?.degrees, 270);
      assert.equal(await cornerOf(picture), CORNERS[0]);
      assert.deepEqual([picture.width, picture.height], [WIDTH, HEIGHT]);
    });
});
