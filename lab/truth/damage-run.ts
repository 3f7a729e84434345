/** Judges damaged clips: scenes, encoders and damages by turns, from a seed. */
import { makeClip } from './clips';
import type { Judged } from './confusion';
import { DAMAGES } from './damage';
import { ENCODERS, withDamage } from './damage-set';
import { SCENES, type PlainScene } from './scenes';
import { shown } from './shown';

export interface DamageRun {
  readonly seed: number;
  readonly scenes: readonly PlainScene[];
  /** Parts of the names of encoders. */
  readonly encoders: string;
  /** Of all damages, each clip gets one in so many, by turns. */
  readonly every: number;
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

export async function* judgeDamage(run: DamageRun): AsyncGenerator<Judged[]> {
  const { seed, scenes, every, width, height, count } = run;
  const damages = DAMAGES.flatMap((damage) => [false, true].map((ofKeyframe) => ({ damage, ofKeyframe })));
  for (const [e, { name, codec, encoder }] of ENCODERS.entries()) {
    if (!name.includes(run.encoders)) continue;
    for (const scene of scenes) {
      const s = SCENES.indexOf(scene);
      const clip = await makeClip({ codec, scene, seed: seed + s, encoder, width, height, count });
      const sound = await shown(clip, clip.units);
      const errors = new Map(sound.pictures.map(({ number, error }) => [number, error]));
      yield judged({ codec, encoder: name, scene, damage: 'none' }, sound.pictures, errors, new Set());
      for (const [d, { damage, ofKeyframe }] of damages.entries()) {
        if ((d + s + e + seed) % every !== 0) continue;
        const { units, touched } = withDamage(clip, damage, ofKeyframe, 1000 * seed + 100 * e + 10 * s + d);
        const { pictures } = await shown(clip, units);
        const hit = `${damage}${ofKeyframe ? ', keyframe' : ''}`;
        yield judged({ codec, encoder: name, scene, damage: hit }, pictures, errors, touched);
      }
    }
  }
}

function judged(
  what: Pick<Judged, 'codec' | 'encoder' | 'scene' | 'damage'>,
  pictures: Awaited<ReturnType<typeof shown>>['pictures'],
  errors: ReadonlyMap<number, number>,
  touched: ReadonlySet<number>,
): Judged[] {
  return pictures.map(({ number, error, verdict: { kind, confidence, reason } }) => ({
    ...{ ...what, number, kind, confidence, reason, error },
    soundError: errors.get(number) ?? 0,
    isTouched: touched.has(number),
  }));
}
