/** Reads past the coefficients of a block of H.265 (7.3.8.11): what they are does not matter, only where they end. Pure. */
import type { ArithmeticDecoder } from './arithmetic-decoder';
import { CONTEXT } from './h265-contexts';

/** How coefficients are put in a row (6.5.3 to 6.5.5). */
export const SCAN = { diagonal: 0, horizontal: 1, vertical: 2 } as const;

export interface ResidualTools {
  readonly skipsTransforms: boolean;
  readonly hidesSigns: boolean;
}

/** Positions in the order in which they are coded: x in the lower 3 bits, y in the upper. By the logarithm of the side, and the scan. */
const ORDERS: readonly (readonly Uint8Array[])[] = [0, 1, 2, 3].map((log2) => {
  const side = 1 << log2;
  const all = Array.from({ length: side * side }, (_, i) => [i % side, i >> log2] as const);
  const packed = (points: readonly (readonly [number, number])[]) =>
    Uint8Array.from(points, ([x, y]) => x | (y << 3));
  const diagonal = all.toSorted(([x, y], [u, v]) => x + y - (u + v) || x - u);
  return [packed(diagonal), packed(all), packed(all.map(([x, y]) => [y, x]))];
});
/** Of the points of 4x4: the number of each in {@link ORDERS}, by scan. */
const PLACES = numbersOf(2);
const GROUP_PLACES = [0, 1, 2, 3].map(numbersOf);

/** Contexts of whether a coefficient of a 4x4 block is there (table 9-50), and of larger ones by which neighbouring groups are coded (9.3.4.2.5). */
const SMALL = Uint8Array.of(0, 1, 4, 5, 2, 3, 4, 5, 6, 6, 8, 8, 7, 7, 8, 8);
const BY_NEIGHBOURS: readonly Uint8Array[] = [
  Uint8Array.of(2, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(2, 1, 0, 0, 2, 1, 0, 0, 2, 1, 0, 0, 2, 1, 0, 0),
  Uint8Array.of(2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2),
];
const CHROMA_SIGNIFICANT = 27;
const CHROMA_ABOVE_ONE = 16;
const CHROMA_ABOVE_TWO = 4;
const CHROMA_LAST = 15;
/** Of a group, no more coefficients say by context whether they are above one. */
const MAX_ABOVE_ONE = 8;
/** Distance between the first and the last coefficient of a group from which on a sign is hidden in their sum. */
const HIDING_DISTANCE = 4;

const codedGroups = new Uint8Array(64);
const levels = new Uint8Array(MAX_ABOVE_ONE);

/** @param log2Side base-2 logarithm of its side @param scan as {@link SCAN} says @throws LostPlace */
export function readResidual(
  cabac: ArithmeticDecoder,
  tools: ResidualTools,
  log2Side: number,
  isLuma: boolean,
  scan: number,
  isLossless: boolean,
): void {
  if (tools.skipsTransforms && !isLossless && log2Side === 2)
    cabac.bin(CONTEXT.skipTransform + (isLuma ? 0 : 1));
  const position = lastPosition(cabac, log2Side, isLuma, scan);
  const lastX = position & 31;
  const lastY = position >> 5;
  const log2Groups = log2Side - 2;
  const order = (ORDERS[2] as readonly Uint8Array[])[scan] as Uint8Array;
  const groups = (ORDERS[log2Groups] as readonly Uint8Array[])[scan] as Uint8Array;
  const lastGroup = GROUP_PLACES[log2Groups]?.[scan]?.[(lastX >> 2) | ((lastY >> 2) << 3)] ?? 0;
  const lastInGroup = PLACES[scan]?.[(lastX & 3) | ((lastY & 3) << 3)] ?? 0;
  const side = 1 << log2Groups;
  for (let at = 0; at < side * 8; at++) codedGroups[at] = 0;
  /** The group before had a level above one: other contexts (9.3.4.2.6). */
  let wasAboveOne = false;
  for (let g = lastGroup; g >= 0; g--) {
    const at = groups[g] ?? 0;
    const right = (at & 7) + 1 < side ? (codedGroups[at + 1] ?? 0) : 0;
    const below = (at >> 3) + 1 < side ? (codedGroups[at + 8] ?? 0) : 0;
    const isSaid = g < lastGroup && g > 0;
    const isCoded = isSaid ? cabac.bin(CONTEXT.codedGroup + (right | below) + (isLuma ? 0 : 2)) : 1;
    codedGroups[at] = isCoded;
    if (isCoded === 0) continue;
    const map = log2Side === 2 ? SMALL : (BY_NEIGHBOURS[right | (below << 1)] as Uint8Array);
    const base = CONTEXT.significant + significantOffset(log2Side, isLuma, scan, at > 0);
    const isLast = g === lastGroup;
    let count = isLast ? 1 : 0;
    let first = isLast ? lastInGroup : -1;
    let last = first;
    let n = isLast ? lastInGroup - 1 : 15;
    for (; n > 0; n--) {
      const point = order[n] ?? 0;
      if (cabac.bin(base + (map[(point & 3) | ((point >> 3) << 2)] ?? 0)) === 0) continue;
      if (count++ === 0) last = n;
      first = n;
    }
    if (n === 0) {
      // The one that is left of a group that is coded is there.
      const isThere = (isSaid && count === 0) || cabac.bin(firstContext(isLuma, at, base, map)) === 1;
      if (isThere) {
        if (count++ === 0) last = 0;
        first = 0;
      }
    }
    if (count === 0) continue;
    const set = (g > 0 && isLuma ? 2 : 0) + (g < lastGroup && wasAboveOne ? 1 : 0);
    const isHidden = tools.hidesSigns && !isLossless && last - first >= HIDING_DISTANCE;
    wasAboveOne = readLevels(cabac, count, set, isLuma, isHidden);
  }
}

/** True where one is above one. */
function readLevels(
  cabac: ArithmeticDecoder,
  count: number,
  set: number,
  isLuma: boolean,
  isHidden: boolean,
): boolean {
  const base = CONTEXT.aboveOne + 4 * set + (isLuma ? 0 : CHROMA_ABOVE_ONE);
  const said = Math.min(count, MAX_ABOVE_ONE);
  let greater = 1;
  let firstAbove = -1;
  for (let i = 0; i < said; i++) {
    const isAbove = cabac.bin(base + greater);
    levels[i] = 1 + isAbove;
    if (isAbove === 1) {
      greater = 0;
      if (firstAbove < 0) firstAbove = i;
    } else if (greater > 0 && greater < 3) greater++;
  }
  if (firstAbove >= 0)
    levels[firstAbove] = 2 + cabac.bin(CONTEXT.aboveTwo + set + (isLuma ? 0 : CHROMA_ABOVE_TWO));
  cabac.bypasses(isHidden ? count - 1 : count);
  let rice = 0;
  for (let i = 0; i < count; i++) {
    const base = i < said ? (levels[i] ?? 0) : 1;
    // What was said is all there is.
    if (i < said && base !== (i === firstAbove ? 3 : 2)) continue;
    const level = base + remainder(cabac, rice);
    if (level > 3 << rice) rice = Math.min(rice + 1, 4);
  }
  return firstAbove >= 0 && greater === 0;
}

/** (9.3.3.11) */
function remainder(cabac: ArithmeticDecoder, rice: number): number {
  const prefix = cabac.ones(4);
  if (prefix < 4) return (prefix << rice) + cabac.bypasses(rice);
  return (4 << rice) + cabac.golomb(rice + 1);
}

/** Where the last coefficient is: x in the lower 5 bits, y in the upper. */
function lastPosition(cabac: ArithmeticDecoder, log2Side: number, isLuma: boolean, scan: number): number {
  const offset = isLuma ? 3 * (log2Side - 2) + ((log2Side - 1) >> 2) : CHROMA_LAST;
  const shift = isLuma ? (log2Side + 1) >> 2 : log2Side - 2;
  const most = 2 * log2Side - 1;
  const prefixX = lastPrefix(cabac, CONTEXT.lastX + offset, shift, most);
  const prefixY = lastPrefix(cabac, CONTEXT.lastY + offset, shift, most);
  const x = lastOf(cabac, prefixX);
  const y = lastOf(cabac, prefixY);
  return scan === SCAN.vertical ? y | (x << 5) : x | (y << 5);
}

function lastPrefix(cabac: ArithmeticDecoder, context: number, shift: number, most: number): number {
  let prefix = 0;
  while (prefix < most && cabac.bin(context + (prefix >> shift)) === 1) prefix++;
  return prefix;
}

function lastOf(cabac: ArithmeticDecoder, prefix: number): number {
  if (prefix < 4) return prefix;
  const bits = (prefix >> 1) - 1;
  return (1 << bits) * (2 + (prefix & 1)) + cabac.bypasses(bits);
}

function significantOffset(log2Side: number, isLuma: boolean, scan: number, isBehindFirst: boolean): number {
  if (!isLuma) return CHROMA_SIGNIFICANT + (log2Side === 2 ? 0 : log2Side === 3 ? 9 : 12);
  if (log2Side === 2) return 0;
  return (isBehindFirst ? 3 : 0) + (log2Side === 3 ? (scan === SCAN.diagonal ? 9 : 15) : 21);
}

/** Of a group's first coefficient; the block's first has one of its own. */
function firstContext(isLuma: boolean, at: number, base: number, map: Uint8Array): number {
  if (at === 0) return CONTEXT.significant + (isLuma ? 0 : CHROMA_SIGNIFICANT);
  return base + (map[0] ?? 0);
}

function numbersOf(log2: number): readonly Uint8Array[] {
  return (ORDERS[log2] as readonly Uint8Array[]).map((order) => {
    const places = new Uint8Array(64);
    for (const [n, at] of order.entries()) places[at] = n;
    return places;
  });
}
