/** @param share between 0 and 1; NaN without values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.min(sorted.length, Math.ceil(sorted.length * share))) - 1] ?? NaN;
}
