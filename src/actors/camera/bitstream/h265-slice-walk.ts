/**
 * Parses the blocks of an H.265 picture without decoding them, to check that each slice ends where its data
 * end. In a slice with changed bits, the parser loses its place; a decoder shows whatever it then finds.
 */
import { ArithmeticDecoder, LostPlace } from './arithmetic-decoder';
import { BitReader, OutOfBits, unescape } from './bits';
import { BlockMap } from './h265-blocks';
import { BEGINNINGS, CONTEXT } from './h265-contexts';
import { treeLayout, type TreeLayout } from './h265-layout';
import {
  readSegmentHeader,
  SLICE,
  type SegmentHeader,
  type Sets,
  type SliceHeader,
} from './h265-slice-header';
import { UnitReader } from './h265-unit';
import type { NalUnit } from './nal';

const NAL_HEADER_BYTES = 2;
const CONTEXTS = BEGINNINGS[0]?.length ?? 0;
/** The slice of this tree is unknown. */
const NONE = -1;

export class SliceWalk {
  readonly #cabac = new ArithmeticDecoder(CONTEXTS);
  #sets: Sets | undefined;
  #layout: TreeLayout | undefined;
  #map: BlockMap | undefined;
  /** Number of the first tree of the slice that each tree is in. */
  #slices = new Int32Array(0);
  #slice: SliceHeader | undefined;
  #sliceStart = 0;
  /** States after the second tree of a row, and after the previous part. */
  readonly #ofRow = new Uint8Array(CONTEXTS);
  readonly #ofPart = new Uint8Array(CONTEXTS);

  /** Number of trees of the picture whose slice was parsed last. */
  get trees(): number {
    return this.#layout?.count ?? 0;
  }

  /** A new picture. */
  begin(): void {
    this.#slices.fill(NONE);
    this.#slice = undefined;
  }

  /**
   * @returns start of the next slice, by the number of its first tree in coding order; undefined if this one does not end
   *   where its data do
   */
  walk(nal: NalUnit, type: number, sets: Sets): { readonly from: number; readonly to: number } | undefined {
    this.#prepare(sets);
    const payload = unescape(nal.subarray(NAL_HEADER_BYTES));
    try {
      const header = readSegmentHeader(new BitReader(payload), type, sets, this.#slice);
      return header === undefined ? undefined : this.#walk(payload, header, sets);
    } catch (error) {
      if (error instanceof OutOfBits || error instanceof LostPlace) return undefined;
      throw error;
    }
  }

  #prepare(sets: Sets): void {
    if (sets.tools === this.#sets?.tools && sets.pictureTools === this.#sets.pictureTools) return;
    const isNew = sets.tools !== this.#sets?.tools;
    this.#sets = sets;
    this.#layout = treeLayout(sets.tools, sets.pictureTools);
    if (!isNew) return;
    this.#map = new BlockMap(sets.tools);
    this.#slices = new Int32Array(this.#layout.count).fill(NONE);
  }

  #walk(payload: Buffer, header: SegmentHeader, sets: Sets): { from: number; to: number } | undefined {
    const { slice, start, isDependent, length } = header;
    const [layout, map] = [this.#layout, this.#map];
    if (layout === undefined || map === undefined || start >= layout.count) return undefined;
    const cabac = this.#cabac;
    this.#slice = slice;
    if (!isDependent) this.#sliceStart = start;
    const units = new UnitReader(cabac, sets, map, slice);
    const from = layout.places[start] ?? 0;
    cabac.begin(payload, length);
    for (let place = from; place < layout.count; place++) {
      const tree = layout.order[place] ?? 0;
      this.#slices[tree] = this.#sliceStart;
      if (place > from && this.#isEntry(tree, place)) {
        if (!cabac.terminates() || !cabac.isAligned) return undefined;
        cabac.skip(0);
        this.#beginStates(tree, place, false);
      } else if (place === from) this.#beginStates(tree, place, isDependent);
      this.#tree(tree, units);
      if (sets.pictureTools.rowsApart && layout.columnsInTile[tree] === 1) this.#ofRow.set(cabac.states);
      if (cabac.position > payload.length + 2) return undefined;
      if (!cabac.terminates()) continue;
      this.#ofPart.set(cabac.states);
      return cabac.isAligned && isFilling(payload, cabac.position) ? { from, to: place + 1 } : undefined;
    }
    return undefined;
  }

  /** The decoder starts again here: at the first tree of a tile, or of a row within it if rows are coded apart. */
  #isEntry(tree: number, place: number): boolean {
    return this.#beginsTile(tree, place) || this.#beginsRow(tree);
  }

  #beginsTile(tree: number, place: number): boolean {
    const { tiles, order } = this.#layout as TreeLayout;
    return place === 0 || tiles[tree] !== tiles[order[place - 1] ?? 0];
  }

  #beginsRow(tree: number): boolean {
    const { columnsInTile } = this.#layout as TreeLayout;
    return this.#sets?.pictureTools.rowsApart === true && columnsInTile[tree] === 0;
  }

  /** (9.3.1) */
  #beginStates(tree: number, place: number, isDependent: boolean): void {
    const { tiles, columns } = this.#layout as TreeLayout;
    const { states } = this.#cabac;
    const isNewTile = this.#beginsTile(tree, place);
    if (!isNewTile && this.#beginsRow(tree)) {
      const above = tree - columns + 1;
      const isThere =
        (tree + 1) % columns !== 0 &&
        tiles[above] === tiles[tree] &&
        this.#slices[above] === this.#sliceStart;
      if (isThere) states.set(this.#ofRow);
      else this.#initialise();
    } else if (!isNewTile && isDependent) states.set(this.#ofPart);
    else this.#initialise();
  }

  #initialise(): void {
    const { kind, quantiser, usesOtherBeginnings } = this.#slice as SliceHeader;
    const own = kind === SLICE.I ? 0 : (kind === SLICE.P) !== usesOtherBeginnings ? 1 : 2;
    this.#cabac.initialise(BEGINNINGS[own] as Uint8Array, quantiser);
  }

  #tree(tree: number, units: UnitReader): void {
    const { columns, tiles } = this.#layout as TreeLayout;
    const { log2Tree } = (this.#sets as Sets).tools;
    const [column, row] = [tree % columns, Math.floor(tree / columns)];
    const isNear = (other: number) =>
      this.#slices[other] === this.#sliceStart && tiles[other] === tiles[tree];
    const isLeft = column > 0 && isNear(tree - 1);
    const isAbove = row > 0 && isNear(tree - columns);
    this.#offsets(isLeft, isAbove);
    this.#split(units, column << log2Tree, row << log2Tree, log2Tree, 0, isLeft, isAbove);
  }

  /** (7.3.8.3) */
  #offsets(isLeft: boolean, isAbove: boolean): void {
    const cabac = this.#cabac;
    const { offsetLuma, offsetChroma } = this.#slice as SliceHeader;
    const { chroma, lumaBits, chromaBits } = (this.#sets as Sets).tools;
    if (!offsetLuma && !offsetChroma) return;
    if (isLeft && cabac.bin(CONTEXT.saoMerge) === 1) return;
    if (isAbove && cabac.bin(CONTEXT.saoMerge) === 1) return;
    let isOn = false;
    let isBand = false;
    for (let plane = 0; plane < (chroma === 0 ? 1 : 3); plane++) {
      if (!(plane === 0 ? offsetLuma : offsetChroma)) continue;
      if (plane < 2) {
        isOn = cabac.bin(CONTEXT.saoType) === 1;
        isBand = isOn && cabac.bypass() === 0;
      }
      if (!isOn) continue;
      const most = 2 ** (Math.min(plane === 0 ? lumaBits : chromaBits, 10) - 5) - 1;
      let nonZero = 0;
      for (let i = 0; i < 4; i++) if (cabac.ones(most) > 0) nonZero++;
      if (isBand) cabac.bypasses(nonZero + 5);
      else if (plane < 2) cabac.bypasses(2);
    }
  }

  /** (7.3.8.4) */
  #split(
    units: UnitReader,
    x: number,
    y: number,
    log2Side: number,
    depth: number,
    isLeft: boolean,
    isAbove: boolean,
  ): void {
    const { tools, pictureTools } = this.#sets as Sets;
    const map = this.#map as BlockMap;
    const side = 1 << log2Side;
    const isLarger = log2Side > tools.log2LeastUnit;
    let isSplit = isLarger;
    if (isLarger && x + side <= tools.codedWidth && y + side <= tools.codedHeight) {
      const deeper =
        (isLeft && map.depthAt(x - 1, y) > depth ? 1 : 0) +
        (isAbove && map.depthAt(x, y - 1) > depth ? 1 : 0);
      isSplit = this.#cabac.bin(CONTEXT.split + deeper) === 1;
    }
    if (log2Side >= tools.log2Tree - (pictureTools.quantiserDepth ?? 0)) units.isQuantiserRead = false;
    if (!isSplit) {
      units.read(x, y, log2Side, depth, isLeft, isAbove);
      return;
    }
    const half = side >> 1;
    const isRight = x + half < tools.codedWidth;
    const isBelow = y + half < tools.codedHeight;
    this.#split(units, x, y, log2Side - 1, depth + 1, isLeft, isAbove);
    if (isRight) this.#split(units, x + half, y, log2Side - 1, depth + 1, true, isAbove);
    if (isBelow) this.#split(units, x, y + half, log2Side - 1, depth + 1, isLeft, true);
    if (isRight && isBelow) this.#split(units, x + half, y + half, log2Side - 1, depth + 1, true, true);
  }
}

/** Only zeros may follow a slice's data (7.3.2.9). */
function isFilling(payload: Buffer, from: number): boolean {
  for (let at = from; at < payload.length; at++) {
    if (payload[at] !== 0) return false;
  }
  return true;
}
