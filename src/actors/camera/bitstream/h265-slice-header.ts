/** The header of a slice of H.265 (7.3.6.1), limited to what the coding of its blocks depends on, and where it ends. Pure. */
import type { BitReader } from './bits';
import type { H265Picture, H265Sequence } from './h265-parameters';
import { readReferenceSet, type ReferenceSet } from './h265-reference-sets';
import type { PictureTools, SequenceTools } from './h265-tools';

export const SLICE = { B: 0, P: 1, I: 2 } as const;

/** A part of a picture; what a part that depends on the one before does not say is that one's. */
export interface SliceHeader {
  /** As {@link SLICE} says. */
  readonly kind: number;
  readonly quantiser: number;
  readonly usesOtherBeginnings: boolean;
  readonly offsetLuma: boolean;
  readonly offsetChroma: boolean;
  /** Length of each list of references. */
  readonly references: readonly [number, number];
  readonly secondIsStill: boolean;
  readonly mergeCandidates: number;
}

export interface SegmentHeader {
  readonly slice: SliceHeader;
  /** Number of its first tree. */
  readonly start: number;
  readonly isDependent: boolean;
  /** Bytes of the payload in front of its data. */
  readonly length: number;
}

export interface Sets {
  readonly picture: Pick<H265Picture, 'hasDependentSlices' | 'hasOutputFlag' | 'extraBits'>;
  readonly sequence: Pick<H265Sequence, 'blockBits' | 'hasColourPlanes'>;
  readonly tools: SequenceTools;
  readonly pictureTools: PictureTools;
}

const FIRST_IRAP = 16;
const LAST_IRAP = 23;
const IDR_W_RADL = 19;
const IDR_N_LP = 20;

/**
 * @param reader positioned after the NAL unit's header
 * @param before the previous slice of the picture, for a dependent slice segment
 * @returns undefined if that is missing
 * @throws OutOfBits
 */
export function readSegmentHeader(
  reader: BitReader,
  type: number,
  sets: Sets,
  before: SliceHeader | undefined,
): SegmentHeader | undefined {
  const { picture, sequence, pictureTools } = sets;
  const isFirst = reader.flag();
  if (type >= FIRST_IRAP && type <= LAST_IRAP) reader.skip(1);
  reader.unsigned();
  const isDependent = !isFirst && picture.hasDependentSlices && reader.flag();
  const start = isFirst ? 0 : reader.bits(sequence.blockBits);
  const slice = isDependent ? before : readSlice(reader, type, sets);
  if (slice === undefined) return undefined;
  if (pictureTools.tiles !== undefined || pictureTools.rowsApart) {
    const entries = reader.unsigned();
    if (entries > 0) reader.skip((reader.unsigned() + 1) * entries);
  }
  if (pictureTools.hasExtension) reader.skip(8 * reader.unsigned());
  return { slice, start, isDependent, length: (reader.position >> 3) + 1 };
}

function readSlice(reader: BitReader, type: number, sets: Sets): SliceHeader {
  const { picture, sequence, tools, pictureTools } = sets;
  reader.skip(picture.extraBits);
  const kind = reader.unsigned();
  if (picture.hasOutputFlag) reader.skip(1);
  if (sequence.hasColourPlanes) reader.skip(2);
  let [used, temporalMotion] = [0, false];
  if (type !== IDR_W_RADL && type !== IDR_N_LP) {
    used = readUsedPictures(reader, tools);
    temporalMotion = tools.temporalMotion && reader.flag();
  }
  const offsetLuma = tools.adaptiveOffset && reader.flag();
  const offsetChroma = tools.adaptiveOffset && tools.chroma !== 0 && reader.flag();
  const isInter = kind !== SLICE.I;
  const inter = isInter ? readInter(reader, kind, sets, used, temporalMotion) : NOT_INTER;
  const quantiser = pictureTools.quantiser + reader.signed();
  if (pictureTools.chromaOffsets) {
    reader.signed();
    reader.signed();
  }
  let isUnfiltered = pictureTools.deblockingOff;
  if (pictureTools.deblockingSaid && reader.flag()) {
    isUnfiltered = reader.flag();
    if (!isUnfiltered) {
      reader.signed();
      reader.signed();
    }
  }
  if (pictureTools.filtersAcross && (offsetLuma || offsetChroma || !isUnfiltered)) reader.skip(1);
  return { kind, quantiser, offsetLuma, offsetChroma, ...inter };
}

type Inter = Pick<SliceHeader, 'usesOtherBeginnings' | 'references' | 'secondIsStill' | 'mergeCandidates'>;
const NOT_INTER: Inter = {
  usesOtherBeginnings: false,
  references: [0, 0],
  secondIsStill: false,
  mergeCandidates: 0,
};

function readInter(
  reader: BitReader,
  kind: number,
  sets: Sets,
  used: number,
  temporalMotion: boolean,
): Inter {
  const { tools, pictureTools } = sets;
  const isBoth = kind === SLICE.B;
  let [first, second] = pictureTools.references;
  if (reader.flag()) {
    first = reader.unsigned() + 1;
    if (isBoth) second = reader.unsigned() + 1;
  }
  if (!isBoth) second = 0;
  if (pictureTools.modifiesLists && used > 1) {
    const bits = Math.ceil(Math.log2(used));
    if (reader.flag()) reader.skip(bits * first);
    if (isBoth && reader.flag()) reader.skip(bits * second);
  }
  const secondIsStill = isBoth && reader.flag();
  const usesOtherBeginnings = pictureTools.choosesBeginnings && reader.flag();
  if (temporalMotion) {
    const isOfFirst = !isBoth || reader.flag();
    if ((isOfFirst ? first : second) > 1) reader.unsigned();
  }
  if (isBoth ? pictureTools.weightedBoth : pictureTools.weighted) skipWeights(reader, tools, [first, second]);
  return {
    usesOtherBeginnings,
    references: [first, second],
    secondIsStill,
    mergeCandidates: 5 - reader.unsigned(),
  };
}

/** How many pictures this one may be predicted from. */
function readUsedPictures(reader: BitReader, tools: SequenceTools): number {
  reader.skip(tools.orderBits);
  const { referenceSets, longTerm } = tools;
  const bits = Math.ceil(Math.log2(Math.max(1, referenceSets.length)));
  const set: ReferenceSet = reader.flag()
    ? (referenceSets[reader.bits(bits)] ?? [])
    : readReferenceSet(reader, referenceSets, referenceSets.length);
  let used = set.filter(({ isUsed }) => isUsed).length;
  if (longTerm === undefined) return used;
  const listed = longTerm.length > 0 ? reader.unsigned() : 0;
  const own = reader.unsigned();
  for (let i = 0; i < Math.min(listed + own, 64); i++) {
    if (i < listed) {
      const index = longTerm.length > 1 ? reader.bits(Math.ceil(Math.log2(longTerm.length))) : 0;
      if (longTerm[index] === true) used++;
    } else {
      reader.skip(tools.orderBits);
      if (reader.flag()) used++;
    }
    if (reader.flag()) reader.unsigned();
  }
  return used;
}

/** (7.3.6.3) */
function skipWeights(reader: BitReader, { chroma }: SequenceTools, lengths: readonly number[]): void {
  reader.unsigned();
  if (chroma !== 0) reader.signed();
  for (const length of lengths) {
    const luma = Array.from({ length }, () => reader.flag());
    const others = luma.map(() => chroma !== 0 && reader.flag());
    for (const [i, isLuma] of luma.entries())
      for (let left = (isLuma ? 2 : 0) + (others[i] === true ? 4 : 0); left > 0; left--) reader.signed();
  }
}
