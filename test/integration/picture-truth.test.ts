/** Verdicts on pictures whose truth is known: a short, seeded part of `npm run bench -- truth`. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { makeClip, type Clip } from '../../lab/truth/clips';
import { ENCODERS, withDamage } from '../../lab/truth/damage-set';
import { hardScenes } from '../../lab/truth/hard-scenes';
import { shown } from '../../lab/truth/shown';

const SEED = 3;
const BROKEN = 100;

for (const name of ['x264 one slice', 'x265 one slice'])
  describe(`pictures of ${name}`, () => {
    let clip: Clip;

    before(async () => {
      const encoder = ENCODERS.find((each) => each.name === name);
      assert.ok(encoder);
      clip = await makeClip({ ...encoder, scene: 'texture', seed: SEED, width: 640, height: 360, count: 30 });
    });

    it('that nothing happened to are healthy, and the right ones', async () => {
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
      it(`of which one is hit by "${damage}" are torn if they are broken, and healthy if it is not theirs`, async () => {
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
  it('are healthy, and static where nothing changes: mist and snow', async () => {
    for await (const { scene, encoder, kinds, wrong } of hardScenes(
      SEED,
      ['mist', 'snow'],
      ['x264 one slice'],
    ))
      assert.equal(wrong, 0, `${scene}, ${encoder}: ${JSON.stringify(kinds)}`);
  });
});
