/** Bad pictures, made by ffmpeg and read by the camera's own decoder, are distinguished from good ones. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pictureLook } from '../../src/actors/camera/pictures/look';
import { Decoder, type Picture } from '../../src/actors/camera/pictures/decoder';
import { PictureJudge } from '../../src/actors/camera/pictures/judge';
import { POINTS } from '../../src/actors/camera/pictures/thumbnail';
import type { CameraSpec } from '../../src/config/topology';
import type { Verdict } from '../../src/contract/verdict';
import { encodedUnits } from '../../lab/encoded-units';
import { until } from '../../lab/until';

const NO_SIZE = { width: 0, height: 0 };
const CAMERA: CameraSpec = {
  id: 'gate',
  source: { kind: 'stream', url: 'rtsp://cam/live', transport: 'tcp' },
  periodMs: 1000,
  format: 'jpeg',
  quality: 80,
  sampling: 'auto',
  deinterlace: true,
  stallMs: 5000,
  maxDelayMs: 5000,
  frozenMs: 3000,
  connectMs: 20_000,
  retryMs: 30_000,
};
const FROZEN_MS = 3000;
/** A street at night: darkness with the sensor's noise, a few lamps and the light below them. */
const NIGHT =
  'color=0x040404:size=640x360:rate=1,drawbox=x=100:y=60:w=14:h=14:color=0xd0c080:t=fill,' +
  'drawbox=x=90:y=260:w=60:h=40:color=0x241f14:t=fill,drawbox=x=480:y=80:w=10:h=10:color=white:t=fill,' +
  'drawbox=x=440:y=270:w=90:h=50:color=0x1c1c1c:t=fill,format=yuv420p,noise=alls=4:allf=t';

/** Decodes access units, each of them a wanted picture, that arrive one by one as from a camera. */
async function decode(units: readonly Buffer[], codec = 'h264', keyEvery = 1): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const faults: Error[] = [];
  const decoder = new Decoder(
    {
      camera: CAMERA,
      ffmpeg: 'ffmpeg',
      codec,
      look: pictureLook(CAMERA, { codec, height: 0 }, undefined, false),
    },
    {
      onPicture: (picture) => pictures.push(picture),
      onLost: () => undefined,
      onFault: (fault) => faults.push(fault),
      onStderr: () => undefined,
    },
  );
  for (const [i, unit] of units.entries()) {
    decoder.feed(
      { bytes: unit, size: NO_SIZE, renews: i % keyEvery === 0 },
      { capturedAt: 1000 * i, sequence: i },
    );
    await until('its picture', () => pictures.length > i || faults.length > 0);
  }
  await decoder.finish();
  assert.deepEqual(faults, []);
  return pictures;
}

/** Verdicts of pictures a second apart. */
function judge(pictures: readonly Picture[], frozenMs = FROZEN_MS): Verdict[] {
  const judging = new PictureJudge(frozenMs);
  return pictures.map(({ evidence, sample }) => judging.judge(evidence, sample.capturedAt));
}

async function kindsOf(source: string, seconds = 6): Promise<string[]> {
  const units = await encodedUnits({ source, seconds });
  return judge(await decode(units)).map(({ kind }) => kind);
}

const MOVING = 'testsrc2=size=640x360:rate=1';

describe('a verdict', () => {
  for (const [what, source, kind] of [
    ['a moving picture', MOVING, 'healthy'],
    ['a scene at night', NIGHT, 'healthy'],
    ['noise', 'color=gray:size=640x360:rate=1,noise=alls=60:allf=t', 'healthy'],
    ['a still scene with the noise of a good sensor', `${MOVING},loop=-1:1:0,noise=alls=4:allf=t`, 'healthy'],
    ['a black picture', 'color=black:size=640x360:rate=1', 'black'],
    ['a covered lens', 'color=black:size=640x360:rate=1,noise=alls=4:allf=t', 'black'],
    [
      'a black picture with the time on it',
      'color=black:size=640x360:rate=1,drawbox=x=500:y=10:w=90:h=8:color=white:t=fill',
      'black',
    ],
    ...(['0x808080', '0x008700', '0xe000e0'] as const).map(
      (colour) =>
        [
          `a picture whose lower half is ${colour}`,
          `${MOVING},drawbox=y=ih/2:w=iw:h=ih/2:color=${colour}:t=fill`,
          'torn',
        ] as const,
    ),
    [
      'a picture whose lower half is black',
      `${MOVING},drawbox=y=ih/2:w=iw:h=ih/2:color=black:t=fill`,
      'healthy',
    ],
    ['a grey picture', 'color=gray:size=640x360:rate=1', 'grey'],
    ['a blue screen', 'color=blue:size=640x360:rate=1', 'grey'],
  ] as const)
    it(`of ${what} is ${kind}`, async () => {
      assert.deepEqual([...new Set(await kindsOf(source))], [kind]);
    });

  for (const [what, source] of [
    [
      'a night at level 5 with noise of 2',
      'color=black:size=640x360:rate=1,format=gray,geq=lum=5+2*sqrt(-2*log(random(0)+1e-9))*cos(6.283*random(1)),format=yuv420p',
    ],
    ['fog at a fiftieth of the contrast', `${MOVING},format=yuv420p,lutyuv=y=170+(val-128)*0.02:u=128:v=128`],
    [
      'snow between the levels 250 and 255',
      'color=white:size=640x360:rate=1,format=gray,geq=lum=252.5+2.5*sin(X/40)*cos(Y/30+N),format=yuvj420p',
    ],
  ] as const)
    it(`of ${what} is healthy: there is little to see, but the camera works`, async () => {
      assert.deepEqual([...new Set(await kindsOf(source, 3))], ['healthy']);
    });

  // A scene that fills the whole range, with its contrast reduced to a fraction, as at night or in fog.
  for (const [what, darkest, noise, healthy, bad, kind] of [
    ['darkness without noise', 16, 0, [0.5, 0.2, 0.07], [0.03, 0.01], 'black'],
    ["darkness with a sensor's noise", 16, 6, [0.5, 0.2, 0.03], [0.01], 'black'],
    ['fog', 140, 0, [0.5, 0.2, 0.05, 0.02, 0.01], [], 'grey'],
    ["fog with a sensor's noise", 140, 6, [0.2, 0.01], [], 'grey'],
  ] as const)
    it(`of ${what} is healthy down to ${Math.min(...healthy)} of the contrast`, async () => {
      const kindAt = async (contrast: number) => {
        const [base, part] = [String(darkest), String(contrast)];
        const luma = `lutyuv=y=${base}+(val-${base})*${part}:u=128+(val-128)*${part}:v=128+(val-128)*${part}`;
        return kindsOf(`${MOVING},format=yuv420p,${luma},noise=c0s=${noise}:allf=t`, 1);
      };
      for (const contrast of healthy) assert.deepEqual(await kindAt(contrast), ['healthy'], String(contrast));
      for (const contrast of bad) assert.deepEqual(await kindAt(contrast), [kind], String(contrast));
    });

  it('is static, or frozen if no pixel changes, when the same picture is encoded for frozenMs', async () => {
    const kinds = await kindsOf(`${MOVING},loop=-1:1:0`, 8);
    assert.deepEqual(kinds.slice(0, 3), ['healthy', 'healthy', 'healthy']);
    assert.ok(
      kinds.slice(3).every((kind) => kind === 'static' || kind === 'frozen'),
      kinds.join(),
    );
    assert.equal(kinds.at(-1), 'frozen');
  });

  it('is static for a still scene without noise whose light changes invisibly', () => {
    const judging = new PictureJudge(FROZEN_MS);
    const kinds = Array.from({ length: 6 }, (_, i) => {
      const thumbnail = Buffer.alloc(3 * POINTS, 128);
      for (let at = 0; at < POINTS; at++) thumbnail[at] = at % 200;
      thumbnail[5] = (thumbnail[5] ?? 0) + (i % 2);
      return judging.judge({ thumbnail, fingerprint: String(i) }, 1000 * i).kind;
    });
    assert.deepEqual(kinds, ['healthy', 'healthy', 'healthy', 'static', 'static', 'static']);
  });

  it('is never frozen with frozenMs 0', async () => {
    const units = await encodedUnits({ source: `${MOVING},loop=-1:1:0`, seconds: 6 });
    assert.ok(judge(await decode(units), 0).every(({ kind }) => kind === 'healthy'));
  });

  it('is healthy again with the first picture that differs', async () => {
    const still = await encodedUnits({ source: `${MOVING},loop=-1:1:0`, seconds: 5 });
    const moving = await encodedUnits({ source: MOVING, seconds: 2 });
    const kinds = judge(await decode([...still, ...moving.slice(1)])).map(({ kind }) => kind);
    assert.ok(kinds.at(-2) === 'frozen' || kinds.at(-2) === 'static');
    assert.equal(kinds.at(-1), 'healthy');
  });

  it('is torn for an H.264 keyframe with missing bytes, and for no other', async () => {
    const units = await encodedUnits({ source: MOVING, seconds: 6 });
    const damaged = units.map((unit, i) => (i === 3 ? without(unit, 0.5, 500) : unit));
    const verdicts = judge(await decode(damaged));
    assert.deepEqual(
      verdicts.map(({ kind }) => kind),
      ['healthy', 'healthy', 'healthy', 'torn', 'healthy', 'healthy'],
    );
    assert.ok((verdicts[3]?.confidence ?? 0) >= 80);
  });

  it('is torn for everything that builds on a damaged picture, until the next keyframe', async () => {
    const units = await encodedUnits({ source: MOVING, seconds: 8, keyEvery: 4 });
    const damaged = units.map((unit, i) => (i === 2 ? without(unit, 0.3, 200) : unit));
    const kinds = judge(await decode(damaged, 'h264', 4)).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(0, 4), ['healthy', 'healthy', 'torn', 'torn']);
    assert.deepEqual([...new Set(kinds.slice(4))], ['healthy']);
  });

  it('is torn for a JPEG that must be decoded and has missing bytes', async () => {
    const units = await encodedUnits({ source: MOVING, seconds: 3, codec: 'mjpeg' });
    const damaged = units.map((unit, i) => (i === 1 ? unit.subarray(0, unit.length / 2) : unit));
    const kinds = judge(await decode(damaged, 'mjpeg')).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['healthy', 'torn', 'healthy']);
  });

  it('on a picture that was not decoded is less certain, and frozen by its bytes alone', () => {
    const judging = new PictureJudge(FROZEN_MS);
    const seen = ['a', 'b', 'a', 'b', 'a', 'b', 'c'].map((fingerprint, i) =>
      judging.judge({ fingerprint }, 1000 * i),
    );
    assert.deepEqual(seen[0], { kind: 'healthy', confidence: 50 });
    assert.deepEqual(
      seen.map(({ kind }) => kind),
      ['healthy', 'healthy', 'healthy', 'healthy', 'frozen', 'frozen', 'healthy'],
    );
  });

  it('takes less than 1 ms of processor time a picture', (t: TestContext) => {
    const judging = new PictureJudge(FROZEN_MS);
    const thumbnail = Buffer.alloc(3 * POINTS, 30);
    const rounds = 2000;
    const { user } = process.cpuUsage();
    for (let i = 0; i < rounds; i++) judging.judge({ thumbnail: Buffer.from(thumbnail) }, i);
    const eachMs = (process.cpuUsage().user - user) / 1000 / rounds;
    t.diagnostic(`${eachMs.toFixed(4)} ms a picture`);
    assert.ok(eachMs < 1);
  });
});

/** The unit without `count` bytes, removed at the fraction `part` of its length. */
function without(unit: Buffer, part: number, count: number): Buffer {
  const at = Math.floor(unit.length * part);
  return Buffer.concat([unit.subarray(0, at), unit.subarray(at + count)]);
}
