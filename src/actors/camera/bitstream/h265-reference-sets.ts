/** Sets of pictures that others are predicted from, of H.265 (7.3.7, 7.4.8). Pure. */
import { OutOfBits, type BitReader } from './bits';

interface Reference {
  /** Distance of its order count to that of the picture. */
  readonly distance: number;
  /** The picture itself is predicted from it, not only later ones. */
  readonly isUsed: boolean;
}

/** Earlier ones first, the nearest first; then later ones. */
export type ReferenceSet = readonly Reference[];

const MAX_PICTURES = 16;

/**
 * @param before those of the sequence that come before it
 * @param count how many the sequence has: a slice's own is one more
 * @throws OutOfBits
 */
export function readReferenceSet(
  reader: BitReader,
  before: readonly ReferenceSet[],
  count: number,
): ReferenceSet {
  if (before.length > 0 && reader.flag()) {
    const back = before.length === count ? reader.unsigned() + 1 : 1;
    const base = before[before.length - back];
    if (base === undefined) throw new OutOfBits('no such reference picture set');
    return readDifference(reader, base);
  }
  const counts = [reader.unsigned(), reader.unsigned()] as const;
  if (Math.max(...counts) > MAX_PICTURES) throw new OutOfBits('too many reference pictures');
  return counts.flatMap((length, i) => {
    let distance = 0;
    return Array.from({ length }, () => {
      distance += (i === 0 ? -1 : 1) * (reader.unsigned() + 1);
      return { distance, isUsed: reader.flag() };
    });
  });
}

function readDifference(reader: BitReader, base: ReferenceSet): ReferenceSet {
  const isBack = reader.flag();
  const shift = (isBack ? -1 : 1) * (reader.unsigned() + 1);
  const all = [...base.map(({ distance }) => distance + shift), shift].flatMap((distance) => {
    const isUsed = reader.flag();
    const isKept = isUsed || reader.flag();
    return isKept && distance !== 0 ? [{ distance, isUsed }] : [];
  });
  const earlier = all
    .filter(({ distance }) => distance < 0)
    .toSorted((one, other) => other.distance - one.distance);
  return [
    ...earlier,
    ...all.filter(({ distance }) => distance > 0).toSorted((one, other) => one.distance - other.distance),
  ];
}
