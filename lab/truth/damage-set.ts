/** Damaged clips of both codecs, from a seed: one picture of each GOP is hit, alternately its keyframe. */
import { randomOf } from '../random';
import type { Clip, Unit } from './clips';
import { damaged, type Damage } from './damage';

export interface EncoderCase {
  readonly name: string;
  readonly codec: 'h264' | 'hevc';
  readonly encoder: readonly string[];
  /** Renewed bit by bit: its keyframes build on what was before, too. */
  readonly gradual?: boolean;
}

export const GOP = 25;

const x264 = (name: string, params: string, ...more: string[]): EncoderCase => ({
  name: `x264 ${name}`,
  codec: 'h264',
  encoder: [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', ...more],
    ...['-x264-params', `repeat-headers=1:scenecut=0:keyint=${GOP}:min-keyint=${GOP}:threads=1:${params}`],
  ],
});
const x265 = (name: string, params: string, preset = 'ultrafast'): EncoderCase => ({
  name: `x265 ${name}`,
  codec: 'hevc',
  encoder: [
    ...['-c:v', 'libx265', '-preset', preset, '-pix_fmt', 'yuv420p', '-x265-params'],
    `log-level=error:repeat-headers=1:scenecut=0:keyint=${GOP}:min-keyint=${GOP}:frame-threads=1:pools=1:${params}`,
  ],
});

export const ENCODERS: readonly EncoderCase[] = [
  x264('one slice', 'bframes=0'),
  x264('four slices', 'bframes=0:slices=4:ref=1'),
  x264('B-frames', 'bframes=2:b-adapt=0'),
  x264('CAVLC', 'bframes=0:cabac=0:8x8dct=0:slices=2', '-profile:v', 'baseline'),
  x265('one slice', 'bframes=0:wpp=0:open-gop=0'),
  x265('rows', 'bframes=0:wpp=1:open-gop=0'),
  x265('four slices', 'bframes=0:wpp=1:slices=4:open-gop=0'),
  x265('B-frames', 'bframes=3:b-adapt=0:wpp=0:ref=2', 'veryfast'),
  x264('baseline of eight slices', 'bframes=0:cabac=0:8x8dct=0:slices=8:ref=1', '-profile:v', 'baseline'),
  x264('B-pyramid', 'bframes=3:b-adapt=0:b-pyramid=normal:ref=3'),
  x264('open GOP', 'bframes=3:b-adapt=0:b-pyramid=normal:ref=3:open-gop=1'),
  { ...x264('intra refresh', 'bframes=0:ref=1:intra-refresh=1'), gradual: true },
  x264('long GOP', 'bframes=0:keyint=250:min-keyint=250'),
  x265('defaults', 'bframes=4', 'medium'),
  x265('open GOP', 'bframes=3:b-adapt=0:open-gop=1', 'veryfast'),
  x265('temporal layers', 'bframes=3:b-adapt=0:temporal-layers=1:open-gop=0', 'veryfast'),
  x265('long GOP', 'bframes=0:keyint=250:min-keyint=250'),
  x265('slow', 'bframes=4:b-adapt=0:b-pyramid=1:open-gop=0', 'slow'),
  x265('without filters', 'bframes=0:no-sao=1:no-deblock=1:no-signhide=1', 'veryfast'),
  x265('small trees', 'bframes=0:ctu=16:wpp=1:slices=2:open-gop=0', 'veryfast'),
  { ...x265('intra refresh', 'bframes=0:intra-refresh=1', 'veryfast'), gradual: true },
];

/** The clip's units with one of each GOP damaged, and the numbers of the pictures that are, or may build on one that is. */
export function withDamage(
  clip: Clip,
  damage: Damage,
  ofKeyframe: boolean,
  seed: number,
  isGradual = false,
): { readonly units: readonly Unit[]; readonly touched: ReadonlySet<number> } {
  const random = randomOf(seed);
  const touched = new Set<number>();
  const keys = clip.units.flatMap(({ key }, i) => (key ? [i] : []));
  const chosen = new Set(
    keys.map((start, k) => {
      const end = keys[k + 1] ?? clip.units.length;
      return ofKeyframe
        ? start
        : random.between(start + 1, Math.max(start + 1, Math.min(end - 1, start + 14)));
    }),
  );
  let isTouched = false;
  const units = clip.units.flatMap((unit, i) => {
    isTouched = chosen.has(i) || (isTouched && (isGradual || !unit.key));
    if (isTouched) touched.add(unit.number);
    if (!chosen.has(i)) return [unit];
    const bytes = damaged(clip.codec, unit.bytes, damage, random);
    return bytes === undefined ? [] : [{ ...unit, bytes }];
  });
  return { units, touched };
}
