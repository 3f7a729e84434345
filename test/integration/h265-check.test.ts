/** Slices coded by x265 are parsed to the end: each sound one ends where its data end, and no damaged one does. */
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { H265Reader } from '../../src/actors/camera/bitstream/h265-reader';
import { annexB, nalUnits } from '../../src/actors/camera/bitstream/nal';
import { randomOf } from '../../lab/random';
import { filtered } from '../../lab/truth/clips';
import { damaged, isSlice } from '../../lab/truth/damage';

const COUNT = 14;
const X265 = 'log-level=error:repeat-headers=1:keyint=8:pools=1:frame-threads=1';

async function coded(
  params: string,
  preset = 'veryfast',
  pixels = 'yuv420p',
  size = '320x180',
): Promise<Buffer[]> {
  const source = `testsrc2=size=${size}:rate=25,noise=alls=12:allf=t:all_seed=7,format=${pixels}`;
  const encoder = ['-c:v', 'libx265', '-preset', preset, '-x265-params', `${X265}:${params}`];
  const input = ['-f', 'lavfi', '-i', source, '-frames:v', String(COUNT)];
  return new PacketSplitter()
    .push(await filtered([...input, ...encoder, '-map', '0:v', ...toSplitter()], []))
    .map(({ bytes }) => bytes);
}

/** The finding for each unit, checked in order by one reader. */
function found(units: readonly Buffer[]): (string | undefined)[] {
  const reader = new H265Reader();
  return units.map((unit) => {
    reader.read(unit);
    return reader.damageIn(unit);
  });
}

describe('sound pictures of H.265', () => {
  for (const [what, ...options] of [
    ['with B-frames as references', 'bframes=4:b-pyramid=1:ref=4:weightb=1', 'slow'],
    ['in rows that are coded apart, and slices', 'wpp=1:slices=3:ctu=16'],
    ['of one row and column of trees', 'wpp=1:ctu=64', 'veryfast', 'yuv420p', '64x64'],
    ['with blocks of every shape', 'amp=1:rect=1:tu-intra-depth=3:tu-inter-depth=3:limit-tu=0', 'medium'],
    ['without transforms or loss', 'lossless=1:tskip=1', 'ultrafast'],
    ['with quantisers of their own, and lists', 'aq-mode=3:qg-size=8:scaling-list=default'],
    ['without filters', 'no-sao=1:no-deblock=1:no-signhide=1'],
    ['that are renewed bit by bit', 'intra-refresh=1:bframes=0:max-merge=1'],
    ['of odd size and ten bits', 'open-gop=1', 'veryfast', 'yuv420p10le', '342x186'],
    ['of 4:2:2', 'bframes=2', 'veryfast', 'yuv422p'],
    ['of 4:4:4', 'bframes=2', 'veryfast', 'yuv444p'],
    ['without colour', 'bframes=2', 'veryfast', 'gray'],
  ] as const)
    it(`${what}, end where their data end`, async () => {
      const units = await coded(...(options as [string]));
      assert.equal(units.length, COUNT);
      const signs = found(units);
      // For profiles with possibly unknown tools, the first pictures only establish that the tools are known.
      assert.deepEqual(new Set(signs.filter((sign) => sign !== 'unchecked')), new Set([undefined]));
      assert.equal(signs.at(-1), undefined);
    });
});

describe('damaged pictures of H.265', () => {
  let units: Buffer[];

  before(async () => {
    units = await coded('bframes=0:wpp=0');
  });

  for (const damage of ['cut', 'hole', 'flip', 'zeros'] as const)
    it(`are detected if they are hit by "${damage}"`, (t: TestContext) => {
      const random = randomOf(5);
      const [key] = units;
      assert.ok(key);
      let [hits, noticed] = [0, 0];
      for (let round = 0; round < 4; round++)
        for (const unit of units) {
          const bytes = damaged('hevc', unit, damage, random);
          if (bytes === undefined || bytes.equals(unit)) continue;
          hits++;
          if (found([key, bytes])[1] !== undefined) noticed++;
        }
      t.diagnostic(`${noticed} of ${hits}`);
      assert.ok(hits >= 40 && noticed >= 0.97 * hits, `${noticed} of ${hits}`);
    });

  it('lack a slice if one of several is missing, from the first picture on', async () => {
    const [key] = await coded('slices=3:wpp=1:ctu=16:bframes=0');
    assert.ok(key);
    const all = [...nalUnits(key)];
    const slices = all.filter((nal) => isSlice('hevc', nal));
    for (const missing of slices.slice(1)) {
      const left = annexB(all.filter((nal) => nal !== missing));
      assert.deepEqual(found([left]), ['missing-slice']);
    }
  });

  it('are not assumed if every slice seems to end wrong: the stream uses unknown tools', async () => {
    const others = await coded('bframes=0:wpp=0:no-sao=1:max-merge=1:ctu=16');
    const isSet = (nal: Buffer) => !isSlice('hevc', nal);
    const sets = [...nalUnits(others[0] as Buffer)].filter(isSet);
    const mixed = units.map((unit) => {
      const slices = [...nalUnits(unit)].filter((nal) => !isSet(nal));
      return annexB([...sets, ...slices]);
    });
    const signs = found(mixed);
    assert.equal(signs[0], 'decode-error');
    assert.deepEqual(new Set(signs.slice(4)), new Set(['unchecked']));
  });

  it('cost almost no processor time to detect', (t: TestContext) => {
    const rounds = 40;
    const bytes = rounds * units.reduce((sum, unit) => sum + unit.length, 0);
    const { user } = process.cpuUsage();
    for (let round = 0; round < rounds; round++)
      assert.deepEqual(new Set(found(units)), new Set([undefined]));
    const ms = (process.cpuUsage().user - user) / 1000;
    const eachKilobyte = (1000 * ms) / bytes;
    t.diagnostic(
      `${eachKilobyte.toFixed(2)} ms a kilobyte, ${(ms / rounds / units.length).toFixed(2)} ms a picture`,
    );
    assert.ok(eachKilobyte < 3, `${eachKilobyte} ms a kilobyte`);
  });

  it('are no longer searched for if the mean time exceeds a limit', () => {
    const reader = new H265Reader();
    const [key] = units as [Buffer];
    reader.read(key);
    const random = randomOf(9);
    const broken = damaged('hevc', key, 'zeros', random) as Buffer;
    for (let looks = 1; looks <= Math.floor(1_000_000 / key.length); looks++)
      assert.equal(reader.damageIn(key), undefined);
    assert.equal(reader.damageIn(broken), 'unchecked', 'the limit is used up');
    for (let i = 0; i < 100; i++) reader.read(key);
    assert.equal(reader.damageIn(broken), 'decode-error');
  });
});
