/** Video of a camera mounted sideways: files and streams that state it, read as a camera reads them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import {
  cornerOf,
  CORNERS,
  MARKED_SIZE,
  MARKED_SOURCE,
  MIRRORED_CORNERS,
  withDisplayMatrix,
  type Degrees,
} from '../../lab/feeds/marked';
import { startLiveHls } from '../../lab/feeds/hls';
import { hlsClip } from '../../lab/feeds/hls-clip';
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
import type { CameraSpec } from '../../src/config/topology';

const { width: WIDTH, height: HEIGHT, mark: MARK } = MARKED_SIZE;
const ENCODERS = {
  h264: ['-c:v', 'libx264', '-g', '5', '-bf', '0', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-x265-params', 'log-level=error:keyint=5:bframes=0', '-pix_fmt', 'yuv420p'],
  mjpeg: ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj420p'],
} as const;
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
  await ffmpeg('-f', 'lavfi', '-i', MARKED_SOURCE, '-t', '1', ...ENCODERS[codec], plain);
  await writeFile(file, withDisplayMatrix(await readFile(plain), degrees, isMirrored));
  return file;
}

/** Makes video with a display orientation message before each keyframe. @param anticlockwise in 1/65536 of a turn */
async function withMessage(codec: 'h264' | 'hevc', anticlockwise: number): Promise<string> {
  const raw = path.join(dir, `plain.${codec}`);
  await ffmpeg('-f', 'lavfi', '-i', MARKED_SOURCE, '-t', '1', ...ENCODERS[codec], '-f', codec, raw);
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

describe('video that states its rotation', () => {
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vigil-turn-'));
  });
  after(() => rm(dir, { recursive: true }));

  async function assertRotated(file: string, changes: Partial<CameraSpec>, degrees: Degrees): Promise<void> {
    const picture = await firstPicture(file, changes);
    assert.equal(await cornerOf(picture), CORNERS[degrees]);
    const [width, height] = degrees % 180 === 0 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
    assert.deepEqual([picture.width, picture.height], [width, height]);
    assert.deepEqual(picture.source, { width: WIDTH, height: HEIGHT });
    assert.equal(picture.rotation, undefined);
  }

  for (const degrees of [90, 180, 270] as const)
    it(`in a display matrix of ${degrees} degrees is upright`, async () => {
      await assertRotated(await withMatrix('h264', degrees), {}, degrees);
    });

  for (const degrees of [0, 90, 180, 270] as const)
    it(`in a display matrix that mirrors, and turns by ${degrees} degrees, is upright`, async () => {
      const picture = await firstPicture(await withMatrix('h264', degrees, true), {});
      assert.equal(await cornerOf(picture), MIRRORED_CORNERS[degrees]);
    });

  for (const [degrees, isMirrored] of [
    [90, false],
    [0, true],
    [270, true],
  ] as const)
    it(`in a display matrix of HLS that turns by ${degrees} degrees${isMirrored ? ', and mirrors,' : ''} is upright`, async () => {
      const clip = await hlsClip({ container: 'fmp4', seconds: 4, source: MARKED_SOURCE });
      assert.ok(clip.head);
      const head = withDisplayMatrix(clip.head, degrees, isMirrored);
      const live = await startLiveHls({ clips: [{ ...clip, head }] });
      const feed = watchFeed(live.url('/live.m3u8'));
      try {
        await feed.until('a picture', () => feed.pictures.length > 0);
        const [picture] = feed.pictures;
        assert.ok(picture);
        assert.equal(await cornerOf(picture), (isMirrored ? MIRRORED_CORNERS : CORNERS)[degrees]);
      } finally {
        await feed.stop();
        await live.stop();
      }
    });

  it('in a message over RTMP, which has no other way to state it, is upright', async () => {
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
      await assertRotated(await withMatrix('hevc', 90), changes, 90);
    });

  for (const codec of ['h264', 'hevc'] as const)
    it(`in a message of ${codec} is upright`, async () => {
      await assertRotated(await withMessage(codec, 49_152), {}, 90);
    });

  it('in the Exif part of its pictures is upright', async () => {
    await assertRotated(await withExif(6), {}, 90);
  });

  it('is turned even if its pictures could be stored unchanged', async () => {
    await assertRotated(await withMatrix('mjpeg', 180), {}, 180);
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
    it(`is turned by ${rotate} if configured`, async () => {
      await assertRotated(await withMatrix('h264', 90), { rotate }, rotate);
      await assertRotated(await withMessage('h264', 49_152), { rotate }, rotate);
      await assertRotated(await withExif(6), { rotate }, rotate);
    });

  for (const [what, make] of [
    ['a display matrix', () => withMatrix('h264', 270)],
    ['a message', () => withMessage('hevc', 16_384)],
  ] as const)
    it(`in ${what} stays unchanged as a keyframe, whose frame states the rotation`, async () => {
      const picture = await firstPicture(await make(), { format: 'keyframe' });
      assert.equal(picture.rotation?.degrees, 270);
      assert.equal(await cornerOf(picture), CORNERS[0]);
      assert.deepEqual([picture.width, picture.height], [WIDTH, HEIGHT]);
    });
});
