/** Sequence and picture parameter sets of H.264 (7.3.2.1, 7.3.2.2, E.1.1), limited to what the order and appearance of pictures depend on. Pure. */
import { BitReader, BitWriter, escape, OutOfBits, unescape } from './bits';
import type { NalUnit } from './nal';
import type { VideoFormat } from './picture-facts';

export interface H264Sequence extends VideoFormat {
  readonly id: number;
  readonly frameNumberBits: number;
  readonly order:
    | { readonly kind: 'explicit'; readonly bits: number }
    /** Pictures that no other is predicted from may be shown before the previous one. */
    | { readonly kind: 'derived'; readonly unreferencedEarlier: boolean; readonly hasDeltas: boolean }
    | { readonly kind: 'as-decoded' };
  readonly referenceFrames: number;
  /** Frame numbers may be left out on purpose. */
  readonly mayGap: boolean;
  readonly hasColourPlanes: boolean;
  /** Never with fields. */
  readonly framesOnly: boolean;
  /** Frames mix blocks of lines and of fields. */
  readonly adaptive: boolean;
  /** Number of bits before the display mode in the picture timing message; undefined if the message has none. */
  readonly structureBehindBits?: number;
  /** Bit positions of the flag that announces a VUI, and of the VUI's last part if that could be read. */
  readonly positions: { readonly vui: number; readonly restrictions: number | undefined };
}

export interface H264Picture {
  readonly id: number;
  readonly sequenceId: number;
  /** CABAC. */
  readonly isArithmetic: boolean;
  readonly hasBottomOrder: boolean;
  /** Macroblocks may be in groups, which are sent in any order. */
  readonly hasGroups: boolean;
  readonly hasDeblocking: boolean;
  readonly hasRedundantCount: boolean;
}

/** Profiles whose parameter sets state the chroma format (7.3.2.1.1). */
const WITH_CHROMA: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);
/** NAL unit header, profile, constraints and level. */
const HEADER_BITS = 8;
const EXTENDED_ASPECT = 255;
/** The inferred value for motion vectors (E.2.1). */
const LOG2_MAX_VECTOR = 16;
/** Matrix value that means unspecified (H.273, table 4). */
const UNSPECIFIED = 2;
const VUI_FLAGS_WITHOUT_RESTRICTIONS = 8;

/** @throws OutOfBits when it is cut or none */
export function readSequence(unit: NalUnit): H264Sequence {
  const reader = new BitReader(unescape(unit));
  reader.skip(HEADER_BITS);
  const profile = reader.bits(8);
  reader.skip(16);
  const id = reader.unsigned();
  const chroma = WITH_CHROMA.has(profile) ? readChroma(reader) : PLAIN_CHROMA;
  const frameNumberBits = reader.unsigned() + 4;
  const order = readOrder(reader);
  const referenceFrames = reader.unsigned();
  const mayGap = reader.flag();
  const columns = reader.unsigned() + 1;
  const rows = reader.unsigned() + 1;
  const framesOnly = reader.flag();
  const adaptive = !framesOnly && reader.flag();
  reader.skip(1);
  const size = cropped(reader, columns * 16, rows * (framesOnly ? 16 : 32), chroma.chromaFormat, framesOnly);
  const vui = reader.position;
  const { restrictions, ...usability } = readUsability(reader);
  return {
    ...{
      id,
      ...chroma,
      frameNumberBits,
      order,
      referenceFrames,
      mayGap,
      framesOnly,
      adaptive,
      ...size,
      ...usability,
    },
    positions: { vui, restrictions },
  };
}

/** @throws OutOfBits when it is cut or none */
export function readPictureSet(unit: NalUnit): H264Picture {
  const reader = new BitReader(unescape(unit));
  reader.skip(HEADER_BITS);
  const ids = { id: reader.unsigned(), sequenceId: reader.unsigned() };
  const coding = { isArithmetic: reader.flag(), hasBottomOrder: reader.flag() };
  // Nothing after the groups is read: their layout is long, and no camera uses them.
  if (reader.unsigned() > 0)
    return { ...ids, ...coding, hasGroups: true, hasDeblocking: false, hasRedundantCount: false };
  reader.unsigned();
  reader.unsigned();
  reader.skip(3);
  for (let i = 0; i < 3; i++) reader.signed();
  const hasDeblocking = reader.flag();
  reader.skip(1);
  return { ...ids, ...coding, hasGroups: false, hasDeblocking, hasRedundantCount: reader.flag() };
}

/**
 * The sequence parameter set with the statement that pictures are shown in the order they are decoded: a decoder then outputs each
 * at once, and drops those that come too late. Prediction is unaffected.
 * @throws OutOfBits if it is truncated or is not a sequence parameter set
 */
export function withoutReordering(unit: NalUnit): NalUnit {
  const { positions, referenceFrames } = readSequence(unit);
  const payload = unescape(unit);
  const writer = new BitWriter();
  if (positions.restrictions === undefined)
    writer.copy(new BitReader(payload), positions.vui).flag(true).bits(0, VUI_FLAGS_WITHOUT_RESTRICTIONS);
  else writer.copy(new BitReader(payload), positions.restrictions);
  writer.flag(true).flag(true).unsigned(0).unsigned(0).unsigned(LOG2_MAX_VECTOR).unsigned(LOG2_MAX_VECTOR);
  // Maxima of pictures shown late, and of pictures kept.
  writer.unsigned(0).unsigned(Math.max(1, referenceFrames));
  return escape(writer.finish());
}

const PLAIN_CHROMA = { chromaFormat: 1, bitDepth: 8, hasColourPlanes: false } as const;

function readChroma(reader: BitReader) {
  const chromaFormat = reader.unsigned();
  const hasColourPlanes = chromaFormat === 3 && reader.flag();
  const bitDepth = reader.unsigned() + 8;
  reader.unsigned();
  reader.skip(1);
  if (reader.flag())
    for (let i = 0; i < (chromaFormat === 3 ? 12 : 8); i++)
      if (reader.flag()) skipScalingList(reader, i < 6 ? 16 : 64);
  return { chromaFormat, bitDepth, hasColourPlanes };
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function readOrder(reader: BitReader): H264Sequence['order'] {
  const type = reader.unsigned();
  if (type === 0) return { kind: 'explicit', bits: reader.unsigned() + 4 };
  if (type !== 1) return { kind: 'as-decoded' };
  const hasDeltas = !reader.flag();
  const unreferencedEarlier = reader.signed() < 0;
  reader.signed();
  for (let left = reader.unsigned(); left > 0; left--) reader.signed();
  return { kind: 'derived', unreferencedEarlier, hasDeltas };
}

/** The window that is shown, in H.265 too (7.3.2.2.1): cropping is counted in samples of the chroma, here of a field if there may be fields. */
export function cropped(
  reader: BitReader,
  width: number,
  height: number,
  chromaFormat: number,
  framesOnly: boolean,
): { width: number; height: number } {
  if (!reader.flag()) return { width, height };
  const [left, right, top, bottom] = [
    reader.unsigned(),
    reader.unsigned(),
    reader.unsigned(),
    reader.unsigned(),
  ];
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const unitY = (chromaFormat === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  return { width: width - unitX * (left + right), height: height - unitY * (top + bottom) };
}

interface Usability {
  readonly fullRange: boolean;
  readonly matrix?: number;
  readonly structureBehindBits?: number;
  readonly restrictions?: number;
}

/** As much of the VUI as can be read: some cameras send a truncated VUI, and players accept it. */
function readUsability(reader: BitReader): Usability {
  let seen: Usability = { fullRange: false };
  try {
    if (!reader.flag()) return seen;
    if (reader.flag() && reader.bits(8) === EXTENDED_ASPECT) reader.skip(32);
    if (reader.flag()) reader.skip(1);
    if (reader.flag()) seen = { ...seen, ...readSignal(reader) };
    if (reader.flag()) {
      reader.unsigned();
      reader.unsigned();
    }
    if (reader.flag()) reader.skip(65);
    const delays = [reader.flag() ? readDelayBits(reader) : undefined];
    delays.push(reader.flag() ? readDelayBits(reader) : undefined);
    const bits = delays.find((length) => length !== undefined);
    if (bits !== undefined) reader.skip(1);
    if (reader.flag()) seen = { ...seen, structureBehindBits: bits ?? 0 };
    const restrictions = reader.position;
    reader.bit();
    return { ...seen, restrictions };
  } catch (error) {
    if (error instanceof OutOfBits) return seen;
    throw error;
  }
}

/** How colour is coded, read from the VUI; the same in H.265 (E.2.1). */
export function readSignal(reader: BitReader): Pick<VideoFormat, 'fullRange' | 'matrix'> {
  reader.skip(3);
  const fullRange = reader.flag();
  if (!reader.flag()) return { fullRange };
  reader.skip(16);
  const matrix = reader.bits(8);
  return { fullRange, ...(matrix === UNSPECIFIED ? {} : { matrix }) };
}

/** How many bits the two delays of a picture timing message have (E.1.2). */
function readDelayBits(reader: BitReader): number {
  const count = reader.unsigned() + 1;
  reader.skip(8);
  for (let i = 0; i < count; i++) {
    reader.unsigned();
    reader.unsigned();
    reader.skip(1);
  }
  reader.skip(5);
  const delays = reader.bits(5) + 1 + reader.bits(5) + 1;
  reader.skip(5);
  return delays;
}
