/** Skips a coding unit of H.265: its prediction and its coded residual (7.3.8.5 to 7.3.8.12). */
import { ArithmeticDecoder, LostPlace } from './arithmetic-decoder';
import type { BlockMap } from './h265-blocks';
import { CONTEXT } from './h265-contexts';
import { candidateModes, chromaMode, FULL, MODE, otherMode, scanOf, WIDE } from './h265-modes';
import { readMerge, readPrediction } from './h265-motion';
import { readResidual, SCAN } from './h265-residual';
import { SLICE, type Sets, type SliceHeader } from './h265-slice-header';

const PART = { whole: 0, rows: 1, columns: 2, quarters: 3, upper: 4, lower: 5, left: 6, right: 7 } as const;
/** A chroma mode that is not named. */
const AS_LUMA = 4;
/** The part of a quantiser difference above this is an Exp-Golomb code. */
const QUANTISER_PREFIX = 5;

/** The data a block of transforms inherits from its unit. */
interface Unit {
  readonly isIntra: boolean;
  readonly part: number;
  readonly isLossless: boolean;
  readonly mostDepth: number;
  /** One per quarter, or one for the whole unit. */
  readonly modes: readonly number[];
  readonly chromaModes: readonly number[];
}

const NONE: readonly number[] = [];

export class UnitReader {
  /** The quantiser of the present group has been read. */
  isQuantiserRead = false;

  constructor(
    private readonly cabac: ArithmeticDecoder,
    private readonly sets: Sets,
    private readonly map: BlockMap,
    private readonly slice: SliceHeader,
  ) {}

  /** @param isLeft, isAbove there is a neighbour that this one's coding may depend on */
  read(x: number, y: number, log2Side: number, depth: number, isLeft: boolean, isAbove: boolean): void {
    const { cabac, map, slice } = this;
    const { tools, pictureTools } = this.sets;
    const isLossless = pictureTools.lossless && cabac.bin(CONTEXT.bypass) === 1;
    const mayInter = slice.kind !== SLICE.I;
    if (mayInter) {
      const neighbours = (isLeft ? map.skippedAt(x - 1, y) : 0) + (isAbove ? map.skippedAt(x, y - 1) : 0);
      if (cabac.bin(CONTEXT.skip + neighbours) === 1) {
        map.setUnit(x, y, log2Side, depth, 'skipped');
        readMerge(cabac, slice);
        return;
      }
    }
    const isIntra = !mayInter || cabac.bin(CONTEXT.intra) === 1;
    map.setUnit(x, y, log2Side, depth, isIntra ? 'intra' : 'other');
    const isLeast = log2Side === tools.log2LeastUnit;
    const part = !isIntra || isLeast ? this.#part(log2Side, isIntra, isLeast) : PART.whole;
    if (isIntra) this.#intra(x, y, log2Side, part, isLossless, isLeft);
    else this.#inter(log2Side, depth, part, isLossless);
  }

  #intra(x: number, y: number, log2Side: number, part: number, isLossless: boolean, isLeft: boolean): void {
    const { cabac, map } = this;
    const { tools } = this.sets;
    const { plain } = tools;
    const isQuartered = part === PART.quarters;
    const mayBePlain =
      plain !== undefined && !isQuartered && log2Side >= plain.log2Least && log2Side <= plain.log2Most;
    if (mayBePlain && cabac.terminates()) {
      map.setMode(x, y, log2Side, MODE.dc);
      this.#skipPlain(log2Side, plain);
      return;
    }
    const modes = this.#lumaModes(x, y, log2Side, isQuartered, isLeft);
    const chromaModes =
      tools.chroma === FULL
        ? modes.map((mode) => this.#chromaMode(mode))
        : tools.chroma === 0
          ? []
          : [this.#chromaMode(modes[0] ?? MODE.dc)];
    const mostDepth = tools.intraDepth + (isQuartered ? 1 : 0);
    this.#tree(
      { isIntra: true, part, isLossless, mostDepth, modes, chromaModes },
      log2Side,
      0,
      0,
      0,
      ALL_CODED,
      ALL_CODED,
    );
  }

  #lumaModes(x: number, y: number, log2Side: number, isQuartered: boolean, isLeft: boolean): number[] {
    const { cabac, map } = this;
    const count = isQuartered ? 4 : 1;
    const log2 = isQuartered ? log2Side - 1 : log2Side;
    let probable = 0;
    for (let i = 0; i < count; i++) probable |= cabac.bin(CONTEXT.probableMode) << i;
    const modes: number[] = [];
    for (let i = 0; i < count; i++) {
      const left = x + ((i & 1) << log2);
      const top = y + ((i >> 1) << log2);
      const besides = isLeft || (i & 1) === 1 ? map.modeAt(left - 1, top) : MODE.dc;
      // Nothing is kept across rows of trees.
      const isKept = (top >> this.sets.tools.log2Tree) << this.sets.tools.log2Tree < top;
      const over = isKept ? map.modeAt(left, top - 1) : MODE.dc;
      const candidates = candidateModes(besides, over);
      const mode =
        (probable >> i) & 1 ? (candidates[cabac.ones(2)] ?? 0) : otherMode(candidates, cabac.bypasses(5));
      map.setMode(left, top, log2, mode);
      modes.push(mode);
    }
    return modes;
  }

  #chromaMode(luma: number): number {
    const { cabac } = this;
    const said = cabac.bin(CONTEXT.chromaMode) === 0 ? AS_LUMA : cabac.bypasses(2);
    return chromaMode(said, luma, this.sets.tools.chroma);
  }

  #skipPlain(
    log2Side: number,
    { lumaBits, chromaBits }: { readonly lumaBits: number; readonly chromaBits: number },
  ): void {
    const { cabac } = this;
    if (!cabac.isAligned) throw new LostPlace('samples begin within a byte');
    const points = 1 << (2 * log2Side);
    const ofChroma = [0, 0.5, 1, 2][this.sets.tools.chroma] ?? 0;
    cabac.skip(Math.ceil((points * lumaBits + points * ofChroma * chromaBits) / 8));
  }

  #part(log2Side: number, isIntra: boolean, isLeast: boolean): number {
    const { cabac } = this;
    const context = CONTEXT.partition;
    if (cabac.bin(context) === 1) return PART.whole;
    if (isIntra) return PART.quarters;
    if (isLeast) {
      if (cabac.bin(context + 1) === 1) return PART.rows;
      return log2Side === 3 || cabac.bin(context + 2) === 1 ? PART.columns : PART.quarters;
    }
    const isRows = cabac.bin(context + 1) === 1;
    if (!this.sets.tools.asymmetric || cabac.bin(context + 3) === 1) return isRows ? PART.rows : PART.columns;
    return (isRows ? PART.upper : PART.left) + cabac.bypass();
  }

  #inter(log2Side: number, depth: number, part: number, isLossless: boolean): void {
    const { cabac, slice } = this;
    const { tools } = this.sets;
    const isSmallest = log2Side === 3 && part !== PART.whole;
    const count = part === PART.whole ? 1 : part === PART.quarters ? 4 : 2;
    let isMerged = false;
    for (let i = 0; i < count; i++) isMerged = readPrediction(cabac, slice, depth, isSmallest);
    if (!(part === PART.whole && isMerged) && cabac.bin(CONTEXT.residual) === 0) return;
    this.#tree(
      { isIntra: false, part, isLossless, mostDepth: tools.interDepth, modes: NONE, chromaModes: NONE },
      log2Side,
      0,
      0,
      0,
      ALL_CODED,
      ALL_CODED,
    );
  }

  /**
   * @param quarter of the block above, and `part` of the unit, that it is
   * @param cb, cr bits of what may be coded of them: 4:2:2 has two blocks of each
   */
  #tree(
    unit: Unit,
    log2Side: number,
    depth: number,
    quarter: number,
    part: number,
    cb: number,
    cr: number,
  ): void {
    const { cabac } = this;
    const { tools } = this.sets;
    const followsQuarters = unit.isIntra && unit.part === PART.quarters && depth === 0;
    const followsParts = tools.interDepth === 0 && !unit.isIntra && unit.part !== PART.whole && depth === 0;
    const isChoice =
      log2Side <= tools.log2MostTransform && log2Side > tools.log2LeastTransform && depth < unit.mostDepth;
    const isSplit =
      isChoice && !followsQuarters
        ? cabac.bin(CONTEXT.splitTransform + 5 - log2Side) === 1
        : log2Side > tools.log2MostTransform || followsQuarters || followsParts;
    let codedCb = tools.chroma === 0 ? 0 : cb;
    let codedCr = tools.chroma === 0 ? 0 : cr;
    if (tools.chroma !== 0 && (log2Side > 2 || tools.chroma === FULL)) {
      const isTwo = tools.chroma === WIDE && (!isSplit || log2Side === 3);
      codedCb = cb === 0 ? 0 : this.#codedChroma(depth, isTwo);
      codedCr = cr === 0 ? 0 : this.#codedChroma(depth, isTwo);
    }
    if (isSplit) {
      for (let i = 0; i < 4; i++)
        this.#tree(unit, log2Side - 1, depth + 1, i, depth === 0 ? i : part, codedCb, codedCr);
      return;
    }
    const isSaid = unit.isIntra || depth > 0 || codedCb !== 0 || codedCr !== 0;
    const isCoded = !isSaid || cabac.bin(CONTEXT.codedLuma + (depth === 0 ? 1 : 0)) === 1;
    if (!isCoded && codedCb === 0 && codedCr === 0) return;
    this.#quantiser();
    const isFull = tools.chroma === FULL;
    const own = unit.modes.length > 1 ? part : 0;
    if (isCoded) this.#residual(unit, log2Side, unit.modes[own] ?? MODE.dc, true);
    // Four of the smallest luma blocks share one chroma block, which follows them.
    if (log2Side === 2 && !isFull && quarter !== 3) return;
    const log2Chroma = isFull ? log2Side : Math.max(2, log2Side - 1);
    const chromaMode = unit.chromaModes[isFull ? own : 0] ?? MODE.dc;
    for (let bits = codedCb; bits !== 0; bits >>= 1)
      if (bits & 1) this.#residual(unit, log2Chroma, chromaMode, false);
    for (let bits = codedCr; bits !== 0; bits >>= 1)
      if (bits & 1) this.#residual(unit, log2Chroma, chromaMode, false);
  }

  #codedChroma(depth: number, isTwo: boolean): number {
    const { cabac } = this;
    const first = cabac.bin(CONTEXT.codedChroma + depth);
    return isTwo ? first | (cabac.bin(CONTEXT.codedChroma + depth) << 1) : first;
  }

  #residual({ isIntra, isLossless }: Unit, log2Side: number, mode: number, isLuma: boolean): void {
    const { chroma } = this.sets.tools;
    const isScanned = isIntra && (log2Side === 2 || (log2Side === 3 && (isLuma || chroma === FULL)));
    const scan = isScanned ? scanOf(mode) : SCAN.diagonal;
    readResidual(this.cabac, this.sets.pictureTools, log2Side, isLuma, scan, isLossless);
  }

  /** The quantiser difference of its group, once for each group. */
  #quantiser(): void {
    const { cabac } = this;
    if (this.sets.pictureTools.quantiserDepth === undefined || this.isQuantiserRead) return;
    this.isQuantiserRead = true;
    let value = 0;
    while (value < QUANTISER_PREFIX && cabac.bin(CONTEXT.quantiser + (value > 0 ? 1 : 0)) === 1) value++;
    if (value === QUANTISER_PREFIX) cabac.golomb(0);
    if (value > 0) cabac.bypass();
  }
}

/** Until the data state otherwise, blocks of both halves may be coded. */
const ALL_CODED = 1;
