/** Reads H.265 access units: which kind of picture one is, by its NAL unit and slice headers (7.3.1.2, 7.3.6.1). */
import { BitReader, OutOfBits, unescape } from './bits';
import { DisplayOrder, OrderCounts } from './display-order';
import {
  readPictureSet,
  readSequence,
  withoutReordering,
  type H265Picture,
  type H265Sequence,
} from './h265-parameters';
import { annexB, nalUnits, type NalUnit } from './nal';
import { ParameterSets } from './parameter-sets';
import type { PictureFacts, PictureReader } from './picture-facts';
import { Recovery, type Entry } from './recovery';
import { supplements } from './supplement';

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
/** Ends a sequence (7.3.2.5): what is behind it needs nothing that was before. */
const END_OF_SEQUENCE = Buffer.from([36 << 1, 1]);
/** A slice header up to what is read of it, with the bytes put in. */
const HEADER_BYTES = 48;

interface Slice {
  readonly type: number;
  readonly layer: number;
  readonly sequence: H265Sequence;
  /** The lowest bits of its order count. */
  readonly order: number;
}

export class H265Reader implements PictureReader {
  readonly #sets = new ParameterSets<H265Sequence, H265Picture>();
  readonly #counts = new OrderCounts();
  readonly #display = new DisplayOrder();
  readonly #recovery = new Recovery();
  #lastCount: number | undefined;
  #format: H265Sequence | undefined;

  get format(): H265Sequence | undefined {
    return this.#format;
  }

  fieldOf(): undefined {
    return undefined;
  }

  read(unit: Buffer): PictureFacts | undefined {
    const { slice, recoveryCount } = this.#headers(unit);
    if (slice === undefined) return undefined;
    const { type, layer, sequence, order } = slice;
    this.#format = sequence;
    const key = type >= FIRST_IRAP && type <= LAST_IRAP;
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
    return { key, ...recovery, inOrder, needed, interlaced: false };
  }

  forDecoder(unit: Buffer, key: boolean): Buffer {
    const units = [...nalUnits(unit)];
    if (!key && !units.some((nal) => typeOf(nal) === SEQUENCE)) return unit;
    const changed = units.map((nal) => (typeOf(nal) === SEQUENCE ? givenAtOnce(nal) : nal));
    return annexB(key ? [END_OF_SEQUENCE, ...changed] : changed);
  }

  /** Of what is cut or wrong, as much as could be read. */
  #headers(unit: Buffer): { slice?: Slice; recoveryCount?: number | undefined } {
    let recoveryCount: number | undefined;
    for (const nal of nalUnits(unit)) {
      try {
        const type = typeOf(nal);
        if (type === SEQUENCE) this.#sets.keepSequence(readSequence(nal));
        else if (type === PICTURE) this.#sets.keepPicture(readPictureSet(nal));
        else if (type === PREFIX_SEI) recoveryCount = readRecovery(nal) ?? recoveryCount;
        else if (type <= LAST_SLICE) {
          const slice = this.#slice(nal, type);
          if (slice !== undefined) return { slice, recoveryCount };
        }
      } catch (error) {
        if (!(error instanceof OutOfBits)) throw error;
      }
    }
    return {};
  }

  /** Undefined where it is not the first of its picture, or its parameter sets were not sent. */
  #slice(nal: NalUnit, type: number): Slice | undefined {
    const reader = new BitReader(unescape(nal.subarray(2, HEADER_BYTES)));
    if (!reader.flag()) return undefined;
    if (type >= FIRST_IRAP && type <= LAST_IRAP) reader.skip(1);
    const sets = this.#sets.of(reader.unsigned());
    if (sets === undefined) return undefined;
    const { picture, sequence } = sets;
    reader.skip(picture.extraBits);
    reader.unsigned();
    if (picture.hasOutputFlag) reader.skip(1);
    if (sequence.hasColourPlanes) reader.skip(2);
    const isIdr = type === IDR_W_RADL || type === IDR_N_LP;
    const order = isIdr ? 0 : reader.bits(sequence.orderBits);
    return { type, layer: ((nal[1] ?? 1) & 7) - 1, sequence, order };
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

function readRecovery(nal: NalUnit): number | undefined {
  for (const { type, bytes } of supplements(unescape(nal.subarray(2))))
    if (type === RECOVERY_POINT) return new BitReader(bytes).signed();
  return undefined;
}
