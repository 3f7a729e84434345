/** Reads H.265 access units: which kind of picture one is, by its NAL unit and slice headers (7.3.1.2, 7.3.6.1). */
import { BitReader, OutOfBits, unescape } from './bits';
import { SliceCheck } from './h265-check';
import { DisplayOrder, OrderCounts } from './display-order';
import {
  readPictureSet,
  readSequence,
  withoutReordering,
  type H265Picture,
  type H265Sequence,
} from './h265-parameters';
import { SliceLayout, type Looked } from './lost-parts';
import { annexB, nalUnits, type NalUnit } from './nal';
import { ParameterSets } from './parameter-sets';
import type { PictureFacts, PictureReader } from './picture-facts';
import { Recovery, type Entry } from './recovery';
import { DISPLAY_ORIENTATION, supplements } from './supplement';
import { type Rotation } from '../ffmpeg/rotation';
import { readOrientation } from './orientation';

/** NAL unit types (table 7-1). */
const RADL_N = 6;
const RASL_R = 9;
const LAST_SUBLAYER_NON_REFERENCE = 14;
const FIRST_IRAP = 16;
const IDR_W_RADL = 19;
const IDR_N_LP = 20;
const LAST_IRAP = 23;
const LAST_SLICE = 31;
const SEQUENCE = 33;
const PICTURE = 34;
const PREFIX_SEI = 39;
const RECOVERY_POINT = 6;
/** Ends a sequence (7.3.2.5): what follows needs nothing that came before. */
const END_OF_SEQUENCE = Buffer.from([36 << 1, 1]);
/**
 * Appended to each slice. After a complete slice the decoder ignores it. After a truncated or damaged slice it reads on into these bytes,
 * which soon mean the end of a slice or an illegal value (9.3.4.3.5): it ends early or complains instead of making up the rest.
 */
const TAIL = Buffer.alloc(2048, 0xff);
/** A slice header up to what is read of it, with the bytes put in. */
const HEADER_BYTES = 48;

interface Slice {
  readonly type: number;
  readonly layer: number;
  readonly sequence: H265Sequence;
  /** The lowest bits of its order count. */
  readonly order: number;
}

/** An access unit's headers. */
interface Headers {
  readonly slice?: Slice | undefined;
  readonly recoveryCount?: number | undefined;
  readonly rotation?: Rotation | undefined;
  /** Where its slices begin: the number of each one's first block. */
  readonly starts: readonly number[];
}

export class H265Reader implements PictureReader {
  readonly #sets = new ParameterSets<H265Sequence, H265Picture>();
  readonly #counts = new OrderCounts();
  readonly #display = new DisplayOrder();
  readonly #recovery = new Recovery();
  readonly #layout = new SliceLayout();
  readonly #check = new SliceCheck();
  #lastCount: number | undefined;
  #format: H265Sequence | undefined;
  #rotation: Rotation | undefined;

  get format(): H265Sequence | undefined {
    return this.#format;
  }

  get rotation(): Rotation | undefined {
    return this.#rotation;
  }

  fieldOf(): undefined {
    return undefined;
  }

  read(unit: Buffer): PictureFacts | undefined {
    const { slice, recoveryCount, rotation, starts } = this.#headers(unit);
    this.#check.count();
    if (slice === undefined) return undefined;
    const { type, layer, sequence, order } = slice;
    this.#format = sequence;
    const key = type >= FIRST_IRAP && type <= LAST_IRAP;
    if (key) this.#rotation = rotation;
    // Counts restart with IDR and BLA pictures.
    const restarts = key && type <= IDR_N_LP;
    const isLeading = type >= RADL_N && type <= RASL_R;
    const isUnreferenced = type <= LAST_SUBLAYER_NON_REFERENCE && type % 2 === 0;
    const count = this.#counts.count(
      order,
      sequence.orderBits,
      layer === 0 && !isLeading && !isUnreferenced,
      restarts,
    );
    const { inOrder, leading } = this.#display.place(count, key);
    const entry: Entry = key
      ? { kind: 'clean' }
      : recoveryCount === undefined
        ? { kind: 'none' }
        : { kind: 'gradual', over: Math.max(1, recoveryCount) };
    const advance = Math.max(0, count - (this.#lastCount ?? count));
    this.#lastCount = inOrder ? count : this.#lastCount;
    const recovery = this.#recovery.next(entry, advance, key);
    const needed = !leading && !(isUnreferenced && layer === sequence.highestLayer);
    const lacks = this.#layout.lacks(starts) ? ('missing-slice' as const) : undefined;
    return { key, ...recovery, inOrder, needed, interlaced: false, lacks };
  }

  forDecoder(unit: Buffer, key: boolean): Buffer {
    const units = [...nalUnits(unit)].map((nal) => {
      const type = typeOf(nal);
      if (type <= LAST_SLICE) return Buffer.concat([nal, TAIL]);
      return type === SEQUENCE ? givenAtOnce(nal) : nal;
    });
    return annexB(key ? [END_OF_SEQUENCE, ...units] : units);
  }

  damageIn(unit: Buffer): Looked {
    return this.#check.lacks(unit, (nal) => this.#setsOf(nal));
  }

  #setsOf(nal: NalUnit): ReturnType<ParameterSets<H265Sequence, H265Picture>['of']> {
    const type = typeOf(nal);
    const reader = new BitReader(unescape(nal.subarray(2, HEADER_BYTES)));
    reader.skip(type >= FIRST_IRAP && type <= LAST_IRAP ? 2 : 1);
    return this.#sets.of(reader.unsigned());
  }

  /** Reads as much as possible of truncated or damaged data. */
  #headers(unit: Buffer): Headers {
    const starts: number[] = [];
    let headers: Omit<Headers, 'starts'> = {};
    for (const nal of nalUnits(unit)) {
      try {
        const type = typeOf(nal);
        if (type === SEQUENCE) this.#sets.keepSequence(readSequence(nal));
        else if (type === PICTURE) this.#sets.keepPicture(readPictureSet(nal));
        else if (type === PREFIX_SEI) headers = { ...headers, ...readMessages(nal) };
        else if (type <= LAST_SLICE) {
          const { start, slice } = this.#slice(nal, type);
          if (start !== undefined) starts.push(start);
          headers = { ...headers, slice: headers.slice ?? slice };
        }
      } catch (error) {
        if (!(error instanceof OutOfBits)) throw error;
      }
    }
    return { ...headers, starts };
  }

  /** Nothing if its parameter sets were not sent; only the first slice of a picture gives more than its start. */
  #slice(nal: NalUnit, type: number): { readonly start?: number; readonly slice?: Slice } {
    const reader = new BitReader(unescape(nal.subarray(2, HEADER_BYTES)));
    const isFirst = reader.flag();
    if (type >= FIRST_IRAP && type <= LAST_IRAP) reader.skip(1);
    const sets = this.#sets.of(reader.unsigned());
    if (sets === undefined) return {};
    const { picture, sequence } = sets;
    if (!isFirst) {
      if (picture.hasDependentSlices) reader.skip(1);
      return { start: reader.bits(sequence.blockBits) };
    }
    reader.skip(picture.extraBits);
    reader.unsigned();
    if (picture.hasOutputFlag) reader.skip(1);
    if (sequence.hasColourPlanes) reader.skip(2);
    const isIdr = type === IDR_W_RADL || type === IDR_N_LP;
    const order = isIdr ? 0 : reader.bits(sequence.orderBits);
    return { start: 0, slice: { type, layer: ((nal[1] ?? 1) & 7) - 1, sequence, order } };
  }
}

function typeOf(nal: NalUnit): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f;
}

function givenAtOnce(sequence: NalUnit): NalUnit {
  try {
    return withoutReordering(sequence);
  } catch (error) {
    if (error instanceof OutOfBits) return sequence;
    throw error;
  }
}

function readMessages(nal: NalUnit): Pick<Headers, 'recoveryCount' | 'rotation'> {
  let messages: Pick<Headers, 'recoveryCount' | 'rotation'> = {};
  for (const { type, bytes } of supplements(unescape(nal.subarray(2)))) {
    if (type === RECOVERY_POINT) messages = { ...messages, recoveryCount: new BitReader(bytes).signed() };
    if (type === DISPLAY_ORIENTATION) messages = { ...messages, rotation: readOrientation(bytes) };
  }
  return messages;
}
