/** Verdicts on pictures whose truth is known: a short, seeded part of `npm run bench -- truth`. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { nalUnits, type NalUnit } from '../../src/actors/camera/bitstream/nal';
import { makeClip, type Clip, type Unit } from '../../lab/truth/clips';
import { ENCODERS, withDamage } from '../../lab/truth/damage-set';
import { ENCODED, hardScenes } from '../../lab/truth/hard-scenes';
import type { SceneName } from '../../lab/truth/scenes';
import { shown } from '../../lab/truth/shown';

const SEED = 3;
/** H.264: the first slice of a picture that is not IDR, with slice type 7, intra only (table 7-6). */
const isIntraSlice = (nal: NalUnit) => ((nal[0] ?? 0) & 0x1f) === 1 && (nal[1] ?? 0) >> 1 === 0b1000100;
const BROKEN = 100;

for (const name of ['x264 one slice', 'x265 one slice'])
  describe(`pictures of ${name}`, () => {
    let clip: Clip;

    before(async () => {
      const encoder = ENCODERS.find((each) => each.name === name);
      assert.ok(encoder);
      clip = await makeClip({ ...encoder, scene: 'texture', seed: SEED, width: 640, height: 360, count: 30 });
    });

    it('without damage are healthy, and the right ones', async () => {
      const { pictures, lost } = await shown(clip, clip.units);
      assert.equal(pictures.length, clip.truth.length);
      assert.equal(lost, 0);
      for (const { error, verdict, number } of pictures) {
        assert.equal(verdict.kind, 'healthy', `picture ${number}`);
        assert.ok(error < BROKEN, `picture ${number}: ${error}`);
      }
    });

    for (const [damage, reasons] of [
      ['cut', ['missing-slice', 'cut', 'decode-error']],
      ['no-picture', ['missing-reference']],
    ] as const)
      it(`after one is hit by "${damage}" are torn if they are broken, and healthy if they are not affected`, async () => {
        const { units, touched } = withDamage(clip, damage, false, SEED);
        const { pictures } = await shown(clip, units);
        const broken = pictures.filter(({ error }) => error > BROKEN);
        assert.ok(broken.length > 3, `${broken.length} are broken`);
        for (const { verdict, number } of broken) {
          assert.equal(verdict.kind, 'torn', `picture ${number}`);
          assert.ok((reasons as readonly (string | undefined)[]).includes(verdict.reason), verdict.reason);
        }
        for (const { verdict, number } of pictures)
          if (!touched.has(number)) assert.equal(verdict.kind, 'healthy', `picture ${number}`);
      });
  });

describe('good pictures that show next to nothing', () => {
  it('are healthy, and static if nothing changes: mist and snow', async () => {
    for await (const { scene, encoder, kinds, wrong } of hardScenes(
      SEED,
      ['mist', 'snow'],
      ['x264 one slice'],
    ))
      assert.equal(wrong, 0, `${scene}, ${encoder}: ${JSON.stringify(kinds)}`);
  });
});

describe('pictures of a stream', () => {
  const x264 = ENCODERS.find((each) => each.name === 'x264 one slice');
  assert.ok(x264);
  const clipOf = (width: number, height: number, scene: SceneName, encoder = x264.encoder) =>
    makeClip({ ...x264, encoder, scene, seed: SEED, width, height, count: 12 });

  it('whose size changes twice in a row are whole and in order, and none is lost', async () => {
    const large = await clipOf(640, 360, 'texture');
    const small = await clipOf(320, 180, 'walkers');
    const parts = [large, small, large, small];
    const units = parts.flatMap(({ units }, part) =>
      units.map(({ number, bytes }) => ({ number: part * units.length + number, bytes })),
    );
    const truth = parts.flatMap((clip) => clip.truth);
    const { pictures, lost } = await shown({ ...large, truth }, units);
    assert.equal(lost, 0);
    assert.deepEqual(
      pictures.map(({ number }) => number),
      truth.map((_, number) => number),
    );
    for (const { error, number } of pictures) assert.ok(error < BROKEN, `picture ${number}: ${error}`);
  });

  it('have the new size after a change, even those that begin no coded sequence and have no parameter sets', async () => {
    const small = await clipOf(320, 180, 'texture');
    // In mist, x264 takes noise for a scene change, too early for an IDR picture.
    const strong = ENCODED.find((each) => each.name === 'x264 strong');
    assert.ok(strong);
    const clip = { ...strong, scene: 'mist', seed: 7, width: 640, height: 360, count: 36 } as const;
    const large = await makeClip({ ...clip, numbered: false });
    const isIntraAlone = ({ bytes, key }: Unit) => !key && [...nalUnits(bytes)].some(isIntraSlice);
    assert.ok(large.units.some(isIntraAlone), 'there is a picture of that kind');
    const { pictures, lost } = await shown({ ...large, truth: [...small.truth, ...large.truth] }, [
      ...small.units,
      ...large.units.map(({ number, bytes }) => ({ number: small.units.length + number, bytes })),
    ]);
    assert.equal(lost, 0);
    for (const { error, number } of pictures) assert.ok(error < BROKEN, `picture ${number}: ${error}`);
  });
});
