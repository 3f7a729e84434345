/** The parts of H.265's parameter sets on which the coding of blocks depends (7.3.2.2, 7.3.2.3). Pure. */
import { OutOfBits, type BitReader } from './bits';
import { readReferenceSet, type ReferenceSet } from './h265-reference-sets';

/** Out of a sequence parameter set; sizes of blocks as base-2 logarithms. */
export interface SequenceTools {
  /** Pixels, with those that only fill the last blocks. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** 3 for planes that are coded one by one: 0. */
  readonly chroma: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
  readonly orderBits: number;
  readonly log2Tree: number;
  readonly log2LeastUnit: number;
  readonly log2LeastTransform: number;
  readonly log2MostTransform: number;
  readonly interDepth: number;
  readonly intraDepth: number;
  readonly asymmetric: boolean;
  readonly adaptiveOffset: boolean;
  /** Blocks of plain samples; undefined if there are none. */
  readonly plain?:
    | {
        readonly lumaBits: number;
        readonly chromaBits: number;
        readonly log2Least: number;
        readonly log2Most: number;
      }
    | undefined;
  readonly referenceSets: readonly ReferenceSet[];
  /** For each long-term reference listed, whether the picture uses it; undefined if there are no such references. */
  readonly longTerm?: readonly boolean[] | undefined;
  readonly temporalMotion: boolean;
}

/** Out of a picture parameter set. */
export interface PictureTools {
  readonly hidesSigns: boolean;
  readonly choosesBeginnings: boolean;
  /** Length of each list of references, unless a slice says otherwise. */
  readonly references: readonly [number, number];
  readonly quantiser: number;
  readonly skipsTransforms: boolean;
  /** Depth below a tree down to which a quantiser is coded, as a logarithm; undefined if none is. */
  readonly quantiserDepth?: number | undefined;
  readonly chromaOffsets: boolean;
  readonly weighted: boolean;
  readonly weightedBoth: boolean;
  readonly lossless: boolean;
  /** Columns and rows of tiles, and their borders if they are not even; undefined if there are none. */
  readonly tiles?: Tiles | undefined;
  readonly rowsApart: boolean;
  readonly filtersAcross: boolean;
  readonly deblockingSaid: boolean;
  readonly deblockingOff: boolean;
  readonly modifiesLists: boolean;
  readonly hasExtension: boolean;
}

export interface Tiles {
  readonly columns: number;
  readonly rows: number;
  /** Width of each column but the last, and height of each row; undefined if they are even. */
  readonly widths?: readonly number[] | undefined;
  readonly heights?: readonly number[] | undefined;
}

const MAX_TILES = 64;
const MAX_SETS = 64;

type Known =
  | 'codedWidth'
  | 'codedHeight'
  | 'chroma'
  | 'lumaBits'
  | 'chromaBits'
  | 'orderBits'
  | 'log2LeastUnit'
  | 'log2Tree';

/** The part between the sizes of blocks and the look. @throws OutOfBits */
export function readSequenceTools(reader: BitReader, known: Pick<SequenceTools, Known>): SequenceTools {
  const log2LeastTransform = reader.unsigned() + 2;
  const log2MostTransform = log2LeastTransform + reader.unsigned();
  const [interDepth, intraDepth] = [reader.unsigned(), reader.unsigned()];
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  const [asymmetric, adaptiveOffset] = [reader.flag(), reader.flag()];
  const plain = reader.flag() ? readPlain(reader) : undefined;
  const referenceSets: ReferenceSet[] = [];
  const count = reader.unsigned();
  if (count > MAX_SETS) throw new OutOfBits('too many reference picture sets');
  for (let i = 0; i < count; i++) referenceSets.push(readReferenceSet(reader, referenceSets, count));
  const longTerm = reader.flag()
    ? Array.from({ length: Math.min(reader.unsigned(), 32) }, () => {
        reader.skip(known.orderBits);
        return reader.flag();
      })
    : undefined;
  const temporalMotion = reader.flag();
  return {
    ...{ ...known, log2LeastTransform, log2MostTransform, interDepth, intraDepth },
    ...{ asymmetric, adaptiveOffset, plain, referenceSets, longTerm, temporalMotion },
  };
}

/** Reads the part after the number of extra slice header bits. @throws OutOfBits */
export function readPictureTools(reader: BitReader): PictureTools {
  const [hidesSigns, choosesBeginnings] = [reader.flag(), reader.flag()];
  const references = [reader.unsigned() + 1, reader.unsigned() + 1] as const;
  const quantiser = 26 + reader.signed();
  reader.skip(1);
  const skipsTransforms = reader.flag();
  const quantiserDepth = reader.flag() ? reader.unsigned() : undefined;
  reader.signed();
  reader.signed();
  const [chromaOffsets, weighted, weightedBoth, lossless] = [
    reader.flag(),
    reader.flag(),
    reader.flag(),
    reader.flag(),
  ];
  const [hasTiles, rowsApart] = [reader.flag(), reader.flag()];
  const tiles = hasTiles ? readTiles(reader) : undefined;
  const filtersAcross = reader.flag();
  let [deblockingSaid, deblockingOff] = [false, false];
  if (reader.flag()) {
    [deblockingSaid, deblockingOff] = [reader.flag(), reader.flag()];
    if (!deblockingOff) {
      reader.signed();
      reader.signed();
    }
  }
  if (reader.flag()) skipScalingLists(reader);
  const modifiesLists = reader.flag();
  reader.unsigned();
  return {
    ...{
      hidesSigns,
      choosesBeginnings,
      references,
      quantiser,
      skipsTransforms,
      quantiserDepth,
      chromaOffsets,
      weighted,
    },
    ...{
      weightedBoth,
      lossless,
      tiles,
      rowsApart,
      filtersAcross,
      deblockingSaid,
      deblockingOff,
      modifiesLists,
    },
    hasExtension: reader.flag(),
  };
}

function readPlain(reader: BitReader): SequenceTools['plain'] {
  const [lumaBits, chromaBits] = [reader.bits(4) + 1, reader.bits(4) + 1];
  const log2Least = reader.unsigned() + 3;
  const log2Most = log2Least + reader.unsigned();
  reader.skip(1);
  return { lumaBits, chromaBits, log2Least, log2Most };
}

function readTiles(reader: BitReader): Tiles {
  const [columns, rows] = [reader.unsigned() + 1, reader.unsigned() + 1];
  if (columns > MAX_TILES || rows > MAX_TILES) throw new OutOfBits('too many tiles');
  let sizes: Pick<Tiles, 'widths' | 'heights'> = {};
  if (!reader.flag()) {
    const widths = Array.from({ length: columns - 1 }, () => reader.unsigned() + 1);
    sizes = { widths, heights: Array.from({ length: rows - 1 }, () => reader.unsigned() + 1) };
  }
  reader.skip(1);
  return { columns, rows, ...sizes };
}

/** 7.3.4 */
function skipScalingLists(reader: BitReader): void {
  for (let size = 0; size < 4; size++)
    for (let list = 0; list < 6; list += size === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.unsigned();
        continue;
      }
      if (size > 1) reader.signed();
      for (let left = Math.min(64, 16 << (2 * size)); left > 0; left--) reader.signed();
    }
}
