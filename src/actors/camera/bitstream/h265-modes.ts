/** How blocks of H.265 are predicted from their neighbours (8.4.2, 8.4.3), and in which order their coefficients come then (7.4.9.11). Pure. */
import { SCAN } from './h265-residual';

export const MODE = { planar: 0, dc: 1, horizontal: 10, vertical: 26, substitute: 34 } as const;

/** Chroma formats: 4:2:2 and 4:4:4. */
export const WIDE = 2;
export const FULL = 3;

/** Meaning of the chroma modes 0 to 3 (table 8-2); 4 is the mode of luma. */
const CHROMA_MODES = [MODE.planar, MODE.vertical, MODE.horizontal, MODE.dc] as const;
/** Directions of 4:2:2, whose points are not square (table 8-3). */
const WIDE_MODES = [
  ...[0, 1, 2, 2, 2, 2, 3, 5, 7, 8, 10, 11, 13, 15, 16, 18, 19, 20],
  ...[21, 22, 23, 23, 24, 24, 25, 25, 26, 27, 27, 28, 28, 29, 29, 30, 31],
];

/** The most probable modes, by those of the neighbours. */
export function candidateModes(left: number, above: number): readonly [number, number, number] {
  if (left === above)
    return left <= MODE.dc
      ? [MODE.planar, MODE.dc, MODE.vertical]
      : [left, 2 + ((left + 29) % 32), 2 + ((left - 1) % 32)];
  const third = [MODE.planar, MODE.dc, MODE.vertical].find((mode) => mode !== left && mode !== above);
  return [left, above, third ?? MODE.vertical];
}

/** The mode with that number among those that are not candidates. */
export function otherMode([first, second, third]: readonly [number, number, number], number: number): number {
  const least = Math.min(first, second, third);
  const most = Math.max(first, second, third);
  let mode = number;
  for (const candidate of [least, first + second + third - least - most, most]) if (mode >= candidate) mode++;
  return mode;
}

/** @param said the coded value @param luma the mode of luma @param format the chroma format */
export function chromaMode(said: number, luma: number, format: number): number {
  const named = CHROMA_MODES[said];
  const mode = named === undefined ? luma : named === luma ? MODE.substitute : named;
  return format === WIDE ? (WIDE_MODES[mode] ?? mode) : mode;
}

/** For small blocks only. */
export function scanOf(mode: number): number {
  if (mode >= 6 && mode <= 14) return SCAN.vertical;
  return mode >= 22 && mode <= 30 ? SCAN.horizontal : SCAN.diagonal;
}
