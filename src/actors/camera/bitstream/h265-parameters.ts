/** Sequence and picture parameter sets of H.265 (7.3.2.2, 7.3.2.3, E.2.1), limited to what a picture's place and look depend on. Pure. */
import { BitReader, BitWriter, escape, OutOfBits, unescape } from './bits';
import { cropped, readSignal } from './h264-parameters';
import type { NalUnit } from './nal';
import type { VideoFormat } from './picture-facts';

export interface H265Sequence extends VideoFormat {
  readonly id: number;
  readonly orderBits: number;
  /** Of the temporal layers, the highest. */
  readonly highestLayer: number;
  readonly hasColourPlanes: boolean;
  /** Of the number of a coding tree block. */
  readonly blockBits: number;
  /** Bits in front of the numbers that bound the reordering, and behind them. */
  readonly ordering: { readonly from: number; readonly to: number; readonly layers: readonly Ordering[] };
}

interface Ordering {
  readonly kept: number;
}

export interface H265Picture {
  readonly id: number;
  readonly sequenceId: number;
  readonly hasDependentSlices: boolean;
  readonly hasOutputFlag: boolean;
  readonly extraBits: number;
}

type Colour = Pick<VideoFormat, 'fullRange' | 'matrix'>;
const UNSAID: Colour = { fullRange: false };

const HEADER_BITS = 16;
const PROFILE_BITS = 88;
const LEVEL_BITS = 8;
const EXTENDED_ASPECT = 255;
/** More reference picture sets than the standard allows: what is read is none. */
const MAX_SETS = 64;
const MAX_SET_PICTURES = 16;

/** @throws OutOfBits when it is cut or none */
export function readSequence(unit: NalUnit): H265Sequence {
  const reader = new BitReader(unescape(unit));
  reader.skip(HEADER_BITS + 4);
  const highestLayer = reader.bits(3);
  reader.skip(1);
  skipProfiles(reader, highestLayer);
  const id = reader.unsigned();
  const chromaFormat = reader.unsigned();
  const hasColourPlanes = chromaFormat === 3 && reader.flag();
  const coded = { width: reader.unsigned(), height: reader.unsigned() };
  const size = cropped(reader, coded.width, coded.height, chromaFormat, true);
  const bitDepth = reader.unsigned() + 8;
  reader.unsigned();
  const orderBits = reader.unsigned() + 4;
  const ordering = readOrdering(reader, highestLayer);
  const side = 2 ** (reader.unsigned() + 3 + reader.unsigned());
  const blockBits = Math.ceil(Math.log2(Math.ceil(coded.width / side) * Math.ceil(coded.height / side)));
  const colour = readColour(reader, orderBits, chromaFormat);
  return {
    ...{ id, orderBits, highestLayer, hasColourPlanes, blockBits, chromaFormat, bitDepth, ordering, ...size },
    ...colour,
  };
}

/** @throws OutOfBits when it is cut or none */
export function readPictureSet(unit: NalUnit): H265Picture {
  const reader = new BitReader(unescape(unit.subarray(0, 16)));
  reader.skip(HEADER_BITS);
  const id = reader.unsigned();
  const sequenceId = reader.unsigned();
  const hasDependentSlices = reader.flag();
  return { id, sequenceId, hasDependentSlices, hasOutputFlag: reader.flag(), extraBits: reader.bits(3) };
}

/**
 * The sequence parameter set with the statement that pictures are shown in the order they are decoded: a decoder then gives each at
 * once. What is predicted from what stays as it is.
 * @throws OutOfBits when it is cut or none
 */
export function withoutReordering(unit: NalUnit): NalUnit {
  const { ordering } = readSequence(unit);
  const payload = unescape(unit);
  const rest = new BitReader(payload);
  rest.skip(ordering.to);
  const writer = new BitWriter().copy(new BitReader(payload), ordering.from);
  for (const { kept } of ordering.layers) writer.unsigned(kept).unsigned(0).unsigned(0);
  return escape(writer.copy(rest, endOf(payload) - ordering.to).finish());
}

/** Bits in front of the stop bit. */
function endOf(payload: Buffer): number {
  let last = payload.length - 1;
  while (last > 0 && payload[last] === 0) last--;
  const byte = payload[last] ?? 0;
  return 8 * last + 7 - Math.log2(byte & -byte);
}

function skipProfiles(reader: BitReader, highestLayer: number): void {
  reader.skip(PROFILE_BITS + LEVEL_BITS);
  const layers = Array.from({ length: highestLayer }, () => [reader.flag(), reader.flag()]);
  if (highestLayer > 0) reader.skip(2 * (8 - highestLayer));
  for (const [hasProfile, hasLevel] of layers)
    reader.skip((hasProfile === true ? PROFILE_BITS : 0) + (hasLevel === true ? LEVEL_BITS : 0));
}

function readOrdering(reader: BitReader, highestLayer: number): H265Sequence['ordering'] {
  const ofEachLayer = reader.flag();
  const from = reader.position;
  const layers = Array.from({ length: ofEachLayer ? highestLayer + 1 : 1 }, () => {
    const kept = reader.unsigned();
    reader.unsigned();
    reader.unsigned();
    return { kept };
  });
  return { from, to: reader.position, layers };
}

/** What stands behind the sizes is read for the VUI's sake alone: where it cannot be, the stream does not say how colour is coded. */
function readColour(reader: BitReader, orderBits: number, chromaFormat: number): Colour {
  try {
    for (let i = 0; i < 4; i++) reader.unsigned();
    if (reader.flag() && reader.flag()) skipScalingLists(reader, chromaFormat);
    reader.skip(2);
    if (reader.flag()) {
      reader.skip(8);
      reader.unsigned();
      reader.unsigned();
      reader.skip(1);
    }
    skipReferenceSets(reader);
    if (reader.flag())
      for (let left = Math.min(reader.unsigned(), 32); left > 0; left--) reader.skip(orderBits + 1);
    reader.skip(2);
    return reader.flag() ? readUsability(reader) : UNSAID;
  } catch (error) {
    if (error instanceof OutOfBits) return UNSAID;
    throw error;
  }
}

function readUsability(reader: BitReader): Colour {
  if (reader.flag() && reader.bits(8) === EXTENDED_ASPECT) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  return reader.flag() ? readSignal(reader) : UNSAID;
}

/** 7.3.4 */
function skipScalingLists(reader: BitReader, chromaFormat: number): void {
  for (let size = 0; size < 4; size++)
    for (let list = 0; list < 6; list += size === 3 && chromaFormat !== 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.unsigned();
        continue;
      }
      if (size > 1) reader.signed();
      for (let left = Math.min(64, 16 << (2 * size)); left > 0; left--) reader.signed();
    }
}

/** 7.3.7 */
function skipReferenceSets(reader: BitReader): void {
  const count = reader.unsigned();
  if (count > MAX_SETS) throw new OutOfBits('too many reference picture sets');
  let pictures = 0;
  for (let set = 0; set < count; set++) {
    if (set > 0 && reader.flag()) {
      reader.skip(1);
      reader.unsigned();
      let kept = 0;
      for (let i = 0; i <= pictures; i++) if (reader.flag() || reader.flag()) kept++;
      pictures = kept;
      continue;
    }
    pictures = reader.unsigned() + reader.unsigned();
    if (pictures > 2 * MAX_SET_PICTURES) throw new OutOfBits('too many reference pictures');
    for (let i = 0; i < pictures; i++) {
      reader.unsigned();
      reader.skip(1);
    }
  }
}
