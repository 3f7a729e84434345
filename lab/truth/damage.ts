/** Damage to coded pictures in transit: cut, holed, flipped, without a slice, lost. Pure. */
import { annexB, nalUnits, type NalUnit } from '../../src/actors/camera/bitstream/nal';
import type { Random } from '../random';

export const DAMAGES = ['cut', 'hole', 'flip', 'no-slice', 'no-picture', 'zeros', 'packets'] as const;
export type Damage = (typeof DAMAGES)[number];

/** Bytes of video in one packet of a network. */
const PACKET_BYTES = 1400;
/** A slice's header, which is mostly left alone: what is behind it fills the packets. */
const HEADER_BYTES = 30;

/** True for a unit that holds a part of a picture. */
export function isSlice(codec: 'h264' | 'hevc', unit: NalUnit): boolean {
  const first = unit[0] ?? 0;
  return codec === 'h264' ? (first & 31) === 1 || (first & 31) === 5 : ((first >> 1) & 63) < 32;
}

/** What is left of an access unit; undefined where nothing is. */
export function damaged(
  codec: 'h264' | 'hevc',
  unit: Buffer,
  damage: Damage,
  random: Random,
): Buffer | undefined {
  if (damage === 'no-picture') return undefined;
  const units = [...nalUnits(unit)];
  const slices = units.flatMap((nal, i) => (isSlice(codec, nal) ? [i] : []));
  const behindFirst = slices.length > 1 ? slices.slice(1) : slices;
  const hit = random.pick(damage === 'no-slice' ? behindFirst : slices);
  const left = units.flatMap((nal, i) => {
    if (damage === 'packets') return isSlice(codec, nal) ? [withoutPackets(nal, random)] : [nal];
    return i === hit ? ofSlice(nal, damage, random) : [nal];
  });
  return left.some((nal) => isSlice(codec, nal)) ? annexB(left) : undefined;
}

function ofSlice(nal: NalUnit, damage: Damage, random: Random): NalUnit[] {
  if (damage === 'no-slice') return [];
  if (damage === 'cut') {
    const kept = Math.max(20, Math.floor(nal.length * (0.2 + 0.5 * random.next())));
    return [nal.subarray(0, kept)];
  }
  if (damage === 'hole') {
    const from = Math.floor(nal.length * (0.2 + 0.3 * random.next()));
    return [Buffer.concat([nal.subarray(0, from), nal.subarray(from + PACKET_BYTES)])];
  }
  const changed = Buffer.from(nal);
  if (damage === 'zeros') {
    const from = Math.floor(nal.length * (0.2 + 0.6 * random.next()));
    return [Buffer.concat([nal.subarray(0, from), Buffer.from([1, 2, 4]), nal.subarray(from + 3)])];
  }
  for (let i = 0; i < 3; i++) {
    const at = random.between(Math.min(HEADER_BYTES, nal.length - 1), nal.length - 1);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 7));
  }
  return [changed];
}

/** Each is lost with a chance of one in four, but not the first; one is for certain where there is one. */
function withoutPackets(nal: NalUnit, random: Random): NalUnit {
  const parts: Buffer[] = [];
  for (let at = 0; at < nal.length; at += PACKET_BYTES) parts.push(nal.subarray(at, at + PACKET_BYTES));
  const lost = random.between(1, Math.max(1, parts.length - 1));
  return Buffer.concat(parts.filter((_, i) => i === 0 || (i !== lost && random.next() > 0.25)));
}
