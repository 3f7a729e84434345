/** The pause a server asks for: RFC 9110, 10.2.3. Pure. */

/** Longest pause: a server that requests a longer one is asked again after this time. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Milliseconds, at most `maxMs`; undefined if the header has no valid value.
 * @param nowMs of the clock that the header's date is based on, as closely as known
 */
export function retryAfterMs(
  header: string | undefined,
  nowMs: number,
  maxMs = MAX_RETRY_AFTER_MS,
): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(maxMs, Math.max(0, ms));
}
