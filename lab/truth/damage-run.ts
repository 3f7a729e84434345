/** Judges damaged clips: scenes, encoders and damages alternate, from a seed. */
import path from 'node:path';
import { MAX_PICTURE_BYTES, MOST_BYTES } from '../../src/actors/camera/bitstream/h265-check';
import { clipOfFile, makeClip, type Clip, type Unit } from './clips';
import type { Judged } from './confusion';
import { DAMAGES } from './damage';
import { ENCODERS, withDamage } from './damage-set';
import { SCENES, type PlainScene } from './scenes';
import { shown } from './shown';
import { fillingIn } from '../../src/actors/camera/pictures/fillings';

const HITS = DAMAGES.flatMap((damage) => [false, true].map((ofKeyframe) => ({ damage, ofKeyframe })));

/** Start code and header of a unit of filler data. */
const FILLER_HEAD = Buffer.of(0, 0, 0, 1, 38 << 1, 1);

export interface DamageRun {
  readonly seed: number;
  readonly scenes: readonly PlainScene[];
  /** Parts of the names of encoders. */
  readonly encoders: string;
  /** Each clip gets every n-th kind of damage, in turn. */
  readonly every: number;
  readonly width: number;
  readonly height: number;
  readonly count: number;
  /** Streams begin with so much filling that the reserve of what may be looked through is used up. */
  readonly isUsedUp: boolean;
}

/** Pictures of other encoders than those of the set: each file whole, and with each damage. */
export async function* judgeFiles(
  files: readonly string[],
  { seed, every, count }: Pick<DamageRun, 'seed' | 'every' | 'count'>,
): AsyncGenerator<Judged[]> {
  for (const [f, file] of files.entries()) {
    const clip = await clipOfFile(file, count);
    yield* judgeClip(clip, { codec: clip.codec, encoder: path.basename(file), scene: 'file' }, every, {
      of: seed + f,
      seed: 1000 * seed + 100 * f,
    });
  }
}

export async function* judgeDamage(run: DamageRun): AsyncGenerator<Judged[]> {
  const { seed, scenes, every, width, height, count, isUsedUp } = run;
  for (const [e, { name, codec, encoder, gradual }] of ENCODERS.entries()) {
    if (!name.includes(run.encoders)) continue;
    for (const scene of scenes) {
      const s = SCENES.indexOf(scene);
      const made = await makeClip({ codec, scene, seed: seed + s, encoder, width, height, count });
      const clip = isUsedUp ? { ...made, units: usingUp(made.units) } : made;
      const turn = { of: seed + s + e, seed: 1000 * seed + 100 * e + 10 * s };
      yield* judgeClip(clip, { codec, encoder: name, scene }, every, turn, gradual);
    }
  }
}

/** Filler data (H.265, 7.3.2.8) in the first units, which no decoder looks at: as large as a unit may be to be looked through. */
function usingUp(units: readonly Unit[]): readonly Unit[] {
  return units.map((unit, i) => {
    const left = MAX_PICTURE_BYTES - unit.bytes.length - FILLER_HEAD.length;
    if (i >= Math.ceil(MOST_BYTES / MAX_PICTURE_BYTES) || left <= 0) return unit;
    return { ...unit, bytes: Buffer.concat([unit.bytes, FILLER_HEAD, Buffer.alloc(left, 0xff)]) };
  });
}

type Named = Pick<Judged, 'codec' | 'encoder' | 'scene'>;

async function* judgeClip(
  clip: Clip,
  what: Named,
  every: number,
  turn: { readonly of: number; readonly seed: number },
  isGradual?: boolean,
): AsyncGenerator<Judged[]> {
  const sound = await shown(clip, clip.units);
  const errors = new Map(sound.pictures.map(({ number, error }) => [number, error]));
  yield judged({ ...what, damage: 'none' }, sound.pictures, errors, new Set());
  for (const [d, { damage, ofKeyframe }] of HITS.entries()) {
    if ((d + turn.of) % every !== 0) continue;
    const { units, touched } = withDamage(clip, damage, ofKeyframe, turn.seed + d, isGradual);
    const { pictures } = await shown(clip, units);
    yield judged(
      { ...what, damage: `${damage}${ofKeyframe ? ', keyframe' : ''}` },
      pictures,
      errors,
      touched,
    );
  }
}

function judged(
  what: Pick<Judged, 'codec' | 'encoder' | 'scene' | 'damage'>,
  pictures: Awaited<ReturnType<typeof shown>>['pictures'],
  errors: ReadonlyMap<number, number>,
  touched: ReadonlySet<number>,
): Judged[] {
  return pictures.map(
    ({ number, error, evidence: { thumbnail }, verdict: { kind, confidence, reason } }) => ({
      ...{ ...what, number, kind, confidence, reason, error },
      filling: thumbnail === undefined ? undefined : fillingIn(thumbnail)?.reason,
      soundError: errors.get(number) ?? 0,
      isTouched: touched.has(number),
    }),
  );
}
