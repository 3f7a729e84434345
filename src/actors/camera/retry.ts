/** How long a camera waits after its feed failed. Pure. */
import { backOffMs } from '../../clock/back-off';

/** Longest pause before a failed feed is first opened again, milliseconds. */
const FIRST_RETRY_MS = 500;
/**
 * Faults of settings, which are not corrected within seconds: their first pause is that of the fifth attempt.
 */
const LASTING: ReadonlySet<string> = new Set(['redirect', 'unknown-authentication', 'tls-untrusted']);
const LASTING_ATTEMPTS = 4;

/**
 * The pause in milliseconds.
 * @param code of the fault
 * @param failures in a row, including this one
 * @param random from 0 to 1
 */
export function retryPauseMs(code: string, failures: number, retryMs: number, random: number): number {
  const attempt = failures + (LASTING.has(code) ? LASTING_ATTEMPTS : 0);
  return backOffMs({ firstMs: FIRST_RETRY_MS, capMs: retryMs }, attempt, random);
}
