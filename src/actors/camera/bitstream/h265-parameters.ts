/** Sequence and picture parameter sets of H.265 (7.3.2.2, 7.3.2.3, E.2.1), limited to what the order and appearance of pictures depend on. Pure. */
import { BitReader, BitWriter, escape, OutOfBits, unescape } from './bits';
import { cropped, readSignal } from './h264-parameters';
import { readPictureTools, readSequenceTools, type PictureTools, type SequenceTools } from './h265-tools';
import type { NalUnit } from './nal';
import type { VideoFormat } from './picture-facts';

export interface H265Sequence extends VideoFormat {
  readonly id: number;
  /** By number (A.3). */
  readonly profile: number;
  readonly orderBits: number;
  /** The highest temporal layer. */
  readonly highestLayer: number;
  readonly hasColourPlanes: boolean;
  /** Length of the number of a coding tree block. */
  readonly blockBits: number;
  /** What the coding of blocks depends on; undefined if it could not be read. */
  readonly tools?: SequenceTools | undefined;
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
  /** What the coding of blocks depends on; undefined if it could not be read. */
  readonly tools?: PictureTools | undefined;
}

type Colour = Pick<VideoFormat, 'fullRange' | 'matrix'>;
const UNSAID: Colour = { fullRange: false };

const HEADER_BITS = 16;
const PROFILE_BITS = 88;
const LEVEL_BITS = 8;
const EXTENDED_ASPECT = 255;

/** @throws OutOfBits when it is cut or none */
export function readSequence(unit: NalUnit): H265Sequence {
  const reader = new BitReader(unescape(unit));
  reader.skip(HEADER_BITS + 4);
  const highestLayer = reader.bits(3);
  reader.skip(1);
  const profile = readProfile(reader, highestLayer);
  const id = reader.unsigned();
  const chromaFormat = reader.unsigned();
  const hasColourPlanes = chromaFormat === 3 && reader.flag();
  const coded = { width: reader.unsigned(), height: reader.unsigned() };
  const size = cropped(reader, coded.width, coded.height, chromaFormat, true);
  const bitDepth = reader.unsigned() + 8;
  const chromaBits = reader.unsigned() + 8;
  const orderBits = reader.unsigned() + 4;
  const ordering = readOrdering(reader, highestLayer);
  const log2LeastUnit = reader.unsigned() + 3;
  const log2Tree = log2LeastUnit + reader.unsigned();
  const side = 2 ** log2Tree;
  const blockBits = Math.ceil(Math.log2(Math.ceil(coded.width / side) * Math.ceil(coded.height / side)));
  const blocks = { codedWidth: coded.width, codedHeight: coded.height, log2LeastUnit, log2Tree };
  const chroma = hasColourPlanes ? 0 : chromaFormat;
  const tools = unlessCut(() =>
    readSequenceTools(reader, { ...blocks, chroma, lumaBits: bitDepth, chromaBits, orderBits }),
  );
  const colour = tools === undefined ? undefined : unlessCut(() => readUsability(reader));
  return {
    ...{
      id,
      profile,
      orderBits,
      highestLayer,
      hasColourPlanes,
      blockBits,
      chromaFormat,
      bitDepth,
      ordering,
      tools,
    },
    ...{ ...size, ...(colour ?? UNSAID) },
  };
}

/** @throws OutOfBits when it is cut or none */
export function readPictureSet(unit: NalUnit): H265Picture {
  const reader = new BitReader(unescape(unit));
  reader.skip(HEADER_BITS);
  const id = reader.unsigned();
  const sequenceId = reader.unsigned();
  const hasDependentSlices = reader.flag();
  const hasOutputFlag = reader.flag();
  const extraBits = reader.bits(3);
  const tools = unlessCut(() => readPictureTools(reader));
  return { id, sequenceId, hasDependentSlices, hasOutputFlag, extraBits, tools };
}

/**
 * The sequence parameter set with the statement that pictures are shown in the order they are decoded: a decoder then outputs each
 * at once. Prediction is unaffected.
 * @throws OutOfBits if it is truncated or is not a sequence parameter set
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

function readProfile(reader: BitReader, highestLayer: number): number {
  const profile = reader.bits(8) & 31;
  reader.skip(PROFILE_BITS - 8 + LEVEL_BITS);
  const layers = Array.from({ length: highestLayer }, () => [reader.flag(), reader.flag()]);
  if (highestLayer > 0) reader.skip(2 * (8 - highestLayer));
  for (const [hasProfile, hasLevel] of layers)
    reader.skip((hasProfile === true ? PROFILE_BITS : 0) + (hasLevel === true ? LEVEL_BITS : 0));
  return profile;
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

/** What stands behind the sizes may be cut, or none, without harm to what was read before. */
function unlessCut<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof OutOfBits) return undefined;
    throw error;
  }
}

/** How colour is coded; the flag before it is for the smoothing of edges. */
function readUsability(reader: BitReader): Colour {
  reader.skip(1);
  if (!reader.flag()) return UNSAID;
  if (reader.flag() && reader.bits(8) === EXTENDED_ASPECT) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  return reader.flag() ? readSignal(reader) : UNSAID;
}
