/** The longest time in which nothing happened. Pure. */

/** @param times when something happened, in any order; those outside are passed over. All in milliseconds of one clock. */
export function longestGap(times: readonly number[], fromMs: number, untilMs: number): number {
  const inside = times.filter((atMs) => atMs > fromMs && atMs < untilMs);
  const ends = [...inside, untilMs].sort((a, b) => a - b);
  return Math.max(...ends.map((atMs, i) => atMs - (ends[i - 1] ?? fromMs)));
}
