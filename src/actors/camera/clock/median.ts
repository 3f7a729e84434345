/** The median of some numbers, the higher of two; 0 if there are none. Pure. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
