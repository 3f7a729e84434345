/** Skips the data on how an H.265 block is predicted from other pictures (7.3.8.6, 7.3.8.9). */
import type { ArithmeticDecoder } from './arithmetic-decoder';
import { CONTEXT } from './h265-contexts';
import { SLICE, type SliceHeader } from './h265-slice-header';

/** Number of symbols of a reference index that are coded with a context. */
const MAX_TOLD = 2;
/** Offset of the context that selects one of two lists, after those by depth. */
const WHICH_LIST = 4;

/** @returns true if it is merged with a neighbour */
export function readPrediction(
  cabac: ArithmeticDecoder,
  slice: SliceHeader,
  depth: number,
  isSmallest: boolean,
): boolean {
  if (cabac.bin(CONTEXT.merge) === 1) {
    readMerge(cabac, slice);
    return true;
  }
  let first = true;
  let second = false;
  if (slice.kind === SLICE.B) {
    const isBoth = !isSmallest && cabac.bin(CONTEXT.direction + depth) === 1;
    second = isBoth || cabac.bin(CONTEXT.direction + WHICH_LIST) === 1;
    first = isBoth || !second;
  }
  if (first) readMotion(cabac, slice.references[0], true);
  if (second) readMotion(cabac, slice.references[1], !(first && slice.secondIsStill));
  return false;
}

/** The index of the neighbour that the block is merged with. */
export function readMerge(cabac: ArithmeticDecoder, { mergeCandidates }: SliceHeader): void {
  if (mergeCandidates > 1 && cabac.bin(CONTEXT.mergeIndex) === 1) cabac.ones(mergeCandidates - 2);
}

function readMotion(cabac: ArithmeticDecoder, references: number, moves: boolean): void {
  const most = references - 1;
  let index = 0;
  while (index < Math.min(MAX_TOLD, most) && cabac.bin(CONTEXT.reference + index) === 1) index++;
  if (index === MAX_TOLD) cabac.ones(most - MAX_TOLD);
  if (moves) {
    const x = cabac.bin(CONTEXT.motion);
    const y = cabac.bin(CONTEXT.motion);
    const isMoreX = x === 1 && cabac.bin(CONTEXT.moreMotion) === 1;
    const isMoreY = y === 1 && cabac.bin(CONTEXT.moreMotion) === 1;
    if (isMoreX) cabac.golomb(1);
    if (x === 1) cabac.bypass();
    if (isMoreY) cabac.golomb(1);
    if (y === 1) cabac.bypass();
  }
  cabac.bin(CONTEXT.predictor);
}
