/** Skips the coefficients of a block of H.265 (7.3.8.11): their values do not matter, only where they end. Pure. */
import type { ArithmeticDecoder } from './arithmetic-decoder';
import { CONTEXT } from './h265-contexts';

/** As constants: what is looked up in a module for each symbol takes a tenth of the time. */
const { skipTransform, codedGroup, significant, aboveOne, aboveTwo, lastX, lastY } = CONTEXT;

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
/** For the points of a 4x4 block: the number of each in {@link ORDERS}, by scan. */
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
/** Number of the last point of a group. */
const LAST_POINT = 15;
/** By number of the point in coding order, by scan: of 4x4 blocks, and of larger ones. */
const NUMBERED_SMALL = numbered(SMALL);
const NUMBERED_BY_NEIGHBOURS = BY_NEIGHBOURS.map(numbered);
const CHROMA_SIGNIFICANT = 27;
const CHROMA_ABOVE_ONE = 16;
const CHROMA_ABOVE_TWO = 4;
const CHROMA_LAST = 15;
/** At most this many coefficients of a group state by context whether they are above one. */
const MAX_ABOVE_ONE = 8;
/** Distance between the first and the last coefficient of a group from which on a sign is hidden in their sum. */
const HIDING_DISTANCE = 4;

const codedGroups = new Uint8Array(64);

/** @param log2Side base-2 logarithm of its side @param scan as {@link SCAN} says @throws LostPlace */
export function readResidual(
  cabac: ArithmeticDecoder,
  tools: ResidualTools,
  log2Side: number,
  isLuma: boolean,
  scan: number,
  isLossless: boolean,
): void {
  if (tools.skipsTransforms && !isLossless && log2Side === 2) cabac.bin(skipTransform + (isLuma ? 0 : 1));
  const position = lastPosition(cabac, log2Side, isLuma, scan);
  const x = position & 31;
  const y = position >> 5;
  const log2Groups = log2Side - 2;
  const groups = (ORDERS[log2Groups] as readonly Uint8Array[])[scan] as Uint8Array;
  const lastGroup = GROUP_PLACES[log2Groups]?.[scan]?.[(x >> 2) | ((y >> 2) << 3)] ?? 0;
  const lastInGroup = PLACES[scan]?.[(x & 3) | ((y & 3) << 3)] ?? 0;
  const side = 1 << log2Groups;
  for (let at = 0; at < side * 8; at++) codedGroups[at] = 0;
  /** The group before had a level above one: other contexts (9.3.4.2.6). */
  let wasAboveOne = false;
  for (let g = lastGroup; g >= 0; g--) {
    const at = groups[g] ?? 0;
    const right = (at & 7) + 1 < side ? (codedGroups[at + 1] ?? 0) : 0;
    const below = (at >> 3) + 1 < side ? (codedGroups[at + 8] ?? 0) : 0;
    const isSaid = g < lastGroup && g > 0;
    const isCoded = isSaid ? cabac.bin(codedGroup + (right | below) + (isLuma ? 0 : 2)) : 1;
    codedGroups[at] = isCoded;
    if (isCoded === 0) continue;
    const byScan = log2Side === 2 ? NUMBERED_SMALL : NUMBERED_BY_NEIGHBOURS[right | (below << 1)];
    const contexts = byScan?.[scan] as Uint8Array;
    const base = significant + significantOffset(log2Side, isLuma, scan, at > 0);
    const isLast = g === lastGroup;
    const before = isLast ? lastInGroup - 1 : LAST_POINT;
    const marks = cabac.bins(base, contexts, before) | (isLast ? 1 << lastInGroup : 0);
    // If a group is coded and all others are zero, the remaining coefficient is not.
    const isSure = (isLast && lastInGroup === 0) || (isSaid && marks === 0);
    const first = at === 0 ? significant + (isLuma ? 0 : CHROMA_SIGNIFICANT) : base + (contexts[0] ?? 0);
    const all = isSure ? 1 : marks | cabac.bin(first);
    if (all === 0) continue;
    const set = (g > 0 && isLuma ? 2 : 0) + (g < lastGroup && wasAboveOne ? 1 : 0);
    const isHidden = tools.hidesSigns && !isLossless && distance(all) >= HIDING_DISTANCE;
    wasAboveOne = readLevels(cabac, bitCount(all), set, isLuma, isHidden);
  }
}

/** True if one is above one. */
function readLevels(
  cabac: ArithmeticDecoder,
  count: number,
  set: number,
  isLuma: boolean,
  isHidden: boolean,
): boolean {
  const said = Math.min(count, MAX_ABOVE_ONE);
  const base = aboveOne + 4 * set + (isLuma ? 0 : CHROMA_ABOVE_ONE);
  let above = 0;
  for (let i = 0; i < said; i++)
    above = (above << 1) | cabac.bin(base + (above === 0 ? Math.min(3, i + 1) : 0));
  const isAboveTwo = above !== 0 && cabac.bin(aboveTwo + set + (isLuma ? 0 : CHROMA_ABOVE_TWO)) === 1;
  cabac.bypasses(isHidden ? count - 1 : count);
  let rice = 0;
  const first = 31 - Math.clz32(above);
  for (let i = first; i >= 0; i--) {
    // For all others, the flags are complete.
    if (((above >> i) & 1) === 0 || (i === first && !isAboveTwo)) continue;
    rice = nextRice(rice, (i === first ? 3 : 2) + remainder(cabac, rice));
  }
  for (let i = said; i < count; i++) rice = nextRice(rice, 1 + remainder(cabac, rice));
  return above !== 0;
}

function nextRice(rice: number, level: number): number {
  return level > 3 << rice ? Math.min(rice + 1, 4) : rice;
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
  const prefixX = lastPrefix(cabac, lastX + offset, shift, most);
  const prefixY = lastPrefix(cabac, lastY + offset, shift, most);
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

/** Between the first and the last bit that is set, of some that are. */
function distance(bits: number): number {
  return Math.clz32(bits & -bits) - Math.clz32(bits);
}

/** How many of 16 bits are set. */
function bitCount(bits: number): number {
  const pairs = bits - ((bits >> 1) & 0x5555);
  const fours = (pairs & 0x3333) + ((pairs >> 2) & 0x3333);
  return ((((fours + (fours >> 4)) & 0x0f0f) * 0x0101) >> 8) & 0x1f;
}

/** By scan. @param contexts by point of 4x4 */
function numbered(contexts: Uint8Array): readonly Uint8Array[] {
  return (ORDERS[2] as readonly Uint8Array[]).map((order) =>
    order.map((point) => contexts[(point & 3) | ((point >> 3) << 2)] ?? 0),
  );
}

function numbersOf(log2: number): readonly Uint8Array[] {
  return (ORDERS[log2] as readonly Uint8Array[]).map((order) => {
    const places = new Uint8Array(64);
    for (const [n, at] of order.entries()) places[at] = n;
    return places;
  });
}
