/** Reads the kind of picture of H.264 access units from their slice headers (7.3.3). */
import { BitReader, bitsAt, OutOfBits, unescape } from './bits';
import { DisplayOrder, OrderCounts } from './display-order';
import { asIdrSlice } from './h264-idr';
import {
  readPictureSet,
  readSequence,
  withoutReordering,
  type H264Picture,
  type H264Sequence,
} from './h264-parameters';
import { FrameNumbers } from './lost-parts';
import { annexB, nalUnits, type NalUnit } from './nal';
import { ParameterSets } from './parameter-sets';
import type { Field, PictureFacts, PictureReader } from './picture-facts';
import { Recovery, type Entry } from './recovery';
import { DISPLAY_ORIENTATION, supplements } from './supplement';
import { type Rotation } from '../ffmpeg/rotation';
import { readOrientation } from './orientation';

/** NAL unit types (table 7-1). */
const SLICE = 1;
const IDR_SLICE = 5;
const SEI = 6;
const SEQUENCE = 7;
const PICTURE = 8;
/** SEI payload types (annex D). */
const PICTURE_TIMING = 1;
const RECOVERY_POINT = 6;
/** Slice types modulo 5 (table 7-6) of intra blocks alone: I and SI. */
const INTRA: ReadonlySet<number> = new Set([2, 4]);
/** `pic_struct` of pictures that are shown as fields; 0, 7 and 8 are frames (table D-1). */
const FIELDS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6]);
/** A slice header up to what is read of it: five numbers of up to 32 bits and some flags, with the bytes put in. */
const HEADER_BYTES = 48;

interface Slice {
  readonly isIdr: boolean;
  readonly isReference: boolean;
  readonly isIntra: boolean;
  readonly sequence: H264Sequence;
  readonly picture: H264Picture;
  readonly frameNumber: number;
  readonly parity: 'frame' | Field['parity'];
  /** The lowest bits of its order count. */
  readonly order: number;
}

/** An access unit's headers. */
interface Headers {
  readonly slices: readonly Slice[];
  readonly recoveryFrames?: number;
  readonly timing?: Buffer;
  readonly rotation?: Rotation | undefined;
}

export class H264Reader implements PictureReader {
  readonly #sets = new ParameterSets<H264Sequence, H264Picture>();
  readonly #counts = new OrderCounts();
  readonly #display = new DisplayOrder();
  readonly #recovery = new Recovery();
  readonly #numbers = new FrameNumbers();
  #format: H264Sequence | undefined;
  #rotation: Rotation | undefined;
  #madeIdr = 0;

  get format(): H264Sequence | undefined {
    return this.#format;
  }

  get rotation(): Rotation | undefined {
    return this.#rotation;
  }

  fieldOf(unit: Buffer): Field | undefined {
    if (this.#format?.framesOnly === true) return undefined;
    const { slices } = this.#headers(unit);
    const [first] = slices;
    if (first === undefined || first.parity === 'frame') return undefined;
    if (slices.some(({ parity }) => parity !== first.parity)) return undefined;
    return { parity: first.parity, frameNumber: first.frameNumber };
  }

  read(unit: Buffer): PictureFacts | undefined {
    const headers = this.#headers(unit);
    const [slice] = headers.slices;
    if (slice === undefined) return undefined;
    this.#format = slice.sequence;
    // If there are two fields, only the first may be intra.
    const isIntra = headers.slices.every(({ isIntra, parity }) => isIntra || parity !== slice.parity);
    const entry = entryOf(slice, isIntra, headers.recoveryFrames);
    const recovery = this.#recovery.next(entry, slice.isReference ? 1 : 0, isIntra);
    const { inOrder, leading } = this.#place(slice, entry.kind === 'clean');
    const key = entry.kind === 'clean';
    if (key) this.#rotation = headers.rotation;
    const needed = slice.isReference && !leading;
    const hasGap = this.#numbers.hasGap({
      ...{ begins: key, isReference: slice.isReference, number: slice.frameNumber },
      ...{ bits: slice.sequence.frameNumberBits, mayGap: slice.sequence.mayGap },
    });
    const lacks = hasGap ? ('missing-reference' as const) : undefined;
    return { key, ...recovery, inOrder, needed, interlaced: isInterlaced(slice, headers.timing), lacks };
  }

  forDecoder(unit: Buffer, key: boolean): Buffer {
    const first = key ? this.#headers(unit).slices[0] : undefined;
    if (key) this.#madeIdr++;
    const changed: NalUnit[] = [];
    let isChanged = false;
    for (const nal of nalUnits(unit)) {
      const other = this.#forDecoder(nal, first);
      isChanged ||= other !== nal;
      changed.push(other);
    }
    return isChanged ? annexB(changed) : unit;
  }

  /** @param first first slice of the keyframe it belongs to */
  #forDecoder(nal: NalUnit, first: Slice | undefined): NalUnit {
    const type = typeOf(nal);
    try {
      if (type === SEQUENCE) return withoutReordering(nal);
      if (type !== SLICE || first?.isIdr !== false || !first.isReference || first.picture.hasGroups)
        return nal;
      const slice = this.#slice(nal);
      // The second of two fields may be predicted from the first.
      if (slice?.parity !== first.parity) return nal;
      return asIdrSlice(nal, slice.sequence, slice.picture, this.#madeIdr % 2);
    } catch (error) {
      if (error instanceof OutOfBits) return nal;
      throw error;
    }
  }

  #place(
    { sequence, isIdr, isReference, order }: Slice,
    key: boolean,
  ): { inOrder: boolean; leading: boolean } {
    switch (sequence.order.kind) {
      case 'explicit': {
        const count = this.#counts.count(order, sequence.order.bits, isReference, isIdr);
        return this.#display.place(count, key);
      }
      case 'derived':
        return { inOrder: isReference || !sequence.order.unreferencedEarlier, leading: false };
      case 'as-decoded':
        return { inOrder: true, leading: false };
    }
  }

  /** Reads as much as possible of truncated or damaged data. */
  #headers(unit: Buffer): Headers {
    const slices: Slice[] = [];
    let messages: Omit<Headers, 'slices'> = {};
    for (const nal of nalUnits(unit)) {
      try {
        const type = typeOf(nal);
        if (type === SEQUENCE) this.#sets.keepSequence(readSequence(nal));
        else if (type === PICTURE) this.#sets.keepPicture(readPictureSet(nal));
        else if (type === SEI) messages = { ...messages, ...readMessages(nal) };
        else if (type === SLICE || type === IDR_SLICE) {
          const slice = this.#slice(nal);
          if (slice !== undefined) slices.push(slice);
        }
      } catch (error) {
        if (!(error instanceof OutOfBits)) throw error;
      }
    }
    return { slices, ...messages };
  }

  /** Undefined if its parameter sets were not sent. */
  #slice(nal: NalUnit): Slice | undefined {
    const header = nal[0] ?? 0;
    const reader = new BitReader(unescape(nal.subarray(1, HEADER_BYTES)));
    reader.unsigned();
    const type = reader.unsigned() % 5;
    const sets = this.#sets.of(reader.unsigned());
    if (sets === undefined) return undefined;
    const { picture, sequence } = sets;
    if (sequence.hasColourPlanes) reader.skip(2);
    const frameNumber = reader.bits(sequence.frameNumberBits);
    const parity = sequence.framesOnly || !reader.flag() ? 'frame' : reader.flag() ? 'bottom' : 'top';
    const isIdr = typeOf(nal) === IDR_SLICE;
    if (isIdr) reader.unsigned();
    const order = sequence.order.kind === 'explicit' ? reader.bits(sequence.order.bits) : 0;
    const isReference = (header & 0x60) !== 0;
    const isIntra = INTRA.has(type);
    return { isIdr, isReference, isIntra, sequence, picture, frameNumber, parity, order };
  }
}

function typeOf(nal: NalUnit): number {
  return (nal[0] ?? 0) & 0x1f;
}

function readMessages(nal: NalUnit): Omit<Headers, 'slices'> {
  let messages: Omit<Headers, 'slices'> = {};
  for (const { type, bytes } of supplements(unescape(nal.subarray(1)))) {
    if (type === RECOVERY_POINT) messages = { ...messages, recoveryFrames: new BitReader(bytes).unsigned() };
    if (type === PICTURE_TIMING) messages = { ...messages, timing: bytes };
    if (type === DISPLAY_ORIENTATION) messages = { ...messages, rotation: readOrientation(bytes) };
  }
  return messages;
}

/** A recovery point is not a keyframe: only an intra picture that needs no time to recover is. */
function entryOf({ isIdr, sequence }: Slice, isIntra: boolean, recoveryFrames: number | undefined): Entry {
  if (isIdr || (isIntra && (recoveryFrames === 0 || sequence.referenceFrames <= 1))) return { kind: 'clean' };
  if (recoveryFrames !== undefined) return { kind: 'gradual', over: Math.max(1, recoveryFrames) };
  // After as many references as are kept, none is from before.
  return isIntra ? { kind: 'gradual', over: sequence.referenceFrames } : { kind: 'none' };
}

function isInterlaced({ sequence, parity }: Slice, timing: Buffer | undefined): boolean {
  if (sequence.framesOnly) return false;
  if (parity !== 'frame') return true;
  const { structureBehindBits } = sequence;
  if (structureBehindBits === undefined || timing === undefined) return sequence.adaptive;
  return FIELDS.has(bitsAt(timing, structureBehindBits, 4) ?? 0);
}
