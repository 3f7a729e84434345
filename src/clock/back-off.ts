/** How long to wait before the next try, as a pure function. */

export interface BackOff {
  readonly firstMs: number;
  readonly capMs: number;
}

/**
 * Exponential back-off with full jitter: a random share of `firstMs` doubled with every failed try, capped. Full
 * jitter spreads many clients best (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 * @param attempt number of tries that failed in a row, from 1
 * @param random a number from 0 up to 1, as Math.random gives
 */
export function backOffMs({ firstMs, capMs }: BackOff, attempt: number, random: number): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling * random);
}
