/** The differences between codecs, by ffmpeg's names of them, and the common parts of their parameter sets. */
import { OutOfBits } from './bits';
import * as h264 from './h264-parameters';
import { H264Reader } from './h264-reader';
import * as h265 from './h265-parameters';
import { H265Reader } from './h265-reader';
import { nalUnits, type NalUnit } from './nal';
import { isVp9Key, OtherReader } from './other-reader';
import type { PictureReader } from './picture-facts';
import { jpegRotation } from './orientation';

export interface NalCodec {
  readonly newReader: () => PictureReader;
  readonly typeOf: (unit: NalUnit) => number;
  readonly sequence: number;
  /** Whether this is the type of a slice, which no parameter set follows. */
  readonly isSlice: (type: number) => boolean;
  /** Whether a coded sequence may begin with a slice of this type: those of IDR pictures, and all of H.265 that are keyframes. */
  readonly begins: (type: number) => boolean;
  /** For each type: reads the number by which a parameter set is referred to. */
  readonly idOf: Readonly<Record<number, (unit: NalUnit) => number>>;
}

const CODECS: Readonly<Record<string, NalCodec>> = {
  h264: {
    newReader: () => new H264Reader(),
    typeOf: (unit) => (unit[0] ?? 0) & 0x1f,
    sequence: 7,
    isSlice: (type) => type >= 1 && type <= 5,
    begins: (type) => type === 5,
    idOf: { 7: (unit) => h264.readSequence(unit).id, 8: (unit) => h264.readPictureSet(unit).id },
  },
  hevc: {
    newReader: () => new H265Reader(),
    typeOf: (unit) => ((unit[0] ?? 0) >> 1) & 0x3f,
    sequence: 33,
    isSlice: (type) => type <= 31,
    begins: (type) => type >= 16 && type <= 23,
    idOf: {
      32: (unit) => (unit[2] ?? 0) >> 4,
      33: (unit) => h265.readSequence(unit).id,
      34: (unit) => h265.readPictureSet(unit).id,
    },
  },
};
/** Parameter sets are at the beginning; anything after this many bytes is not examined. */
const MAX_HEAD_BYTES = 4096;

/** Undefined for a codec without NAL units. */
export function nalCodec(codec: string): NalCodec | undefined {
  return CODECS[codec];
}

export function newPictureReader(codec: string): PictureReader {
  return (
    CODECS[codec]?.newReader() ??
    new OtherReader(codec === 'vp9' ? isVp9Key : undefined, codec === 'mjpeg' ? jpegRotation : undefined)
  );
}

/** Whether a reader knows the format of the codec's pictures. */
export function areHeadersRead(codec: string): boolean {
  return codec in CODECS;
}

/** The sequence parameter sets of an access unit: if they change, the appearance of the pictures changes. Empty if it has none. */
export function sequenceParameters(codec: string, unit: Buffer): Buffer {
  const named = CODECS[codec];
  if (named === undefined) return Buffer.alloc(0);
  const sets: NalUnit[] = [];
  for (const nal of nalUnits(unit.subarray(0, MAX_HEAD_BYTES))) {
    const type = named.typeOf(nal);
    if (named.isSlice(type)) break;
    if (type === named.sequence) sets.push(nal);
  }
  return Buffer.concat(sets);
}

/** Type and number of a parameter set; undefined for anything else, and for one that cannot be read. */
export function setName({ typeOf, idOf }: NalCodec, nal: NalUnit): string | undefined {
  const type = typeOf(nal);
  try {
    const id = idOf[type]?.(nal);
    return id === undefined ? undefined : `${type}-${id}`;
  } catch (error) {
    if (error instanceof OutOfBits) return undefined;
    throw error;
  }
}
