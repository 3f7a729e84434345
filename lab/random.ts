/** Random numbers that a failing test can be run with again: `VIGIL_TEST_SEED=<seed>`. */
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';

export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, both bounds included. */
  between(least: number, most: number): number;
  pick<T>(values: readonly T[]): T;
  text(alphabet: string, least: number, most: number): string;
}

/**
 * A generator whose seed is printed with the test.
 * @param fixed a seed that once found a fault
 */
export function seededRandom(t: TestContext, fixed?: number): Random {
  const named = process.env['VIGIL_TEST_SEED'];
  const seed = fixed ?? (named === undefined ? randomInt(2 ** 31) : Number(named));
  t.diagnostic(`VIGIL_TEST_SEED=${seed}`);
  return randomOf(seed);
}

/**
 * How often a random test tries: all `n` times, and a fifth of them where VIGIL_TEST_QUICK is set, as `npm run test:unit`
 * does; `npm test` has more time.
 */
export function rounds(n: number): number {
  return process.env['VIGIL_TEST_QUICK'] === undefined ? n : Math.ceil(n / 5);
}

/** mulberry32: public domain, 32 bits of state. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    pick: <T>(values: readonly T[]): T => {
      const picked = values[between(0, values.length - 1)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
    text: (alphabet, least, most) => {
      const letters = Array.from(alphabet);
      return Array.from(
        { length: between(least, most) },
        () => letters[between(0, letters.length - 1)] ?? '',
      ).join('');
    },
  };
}
