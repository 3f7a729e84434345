/** The pause after a feed has failed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retryPauseMs } from '../../../../src/actors/camera/retry';

describe('the pause after a failed feed', () => {
  const rows: readonly [string, number, number, number, number][] = [
    ['closed', 1, 30_000, 1, 500],
    ['closed', 2, 30_000, 1, 1000],
    ['closed', 2, 30_000, 0.5, 500],
    ['closed', 20, 30_000, 1, 30_000],
    ['redirect', 1, 30_000, 1, 8000],
    ['unknown-authentication', 1, 30_000, 1, 8000],
    ['tls-untrusted', 1, 30_000, 1, 8000],
    ['tls-untrusted', 1, 2000, 1, 2000],
  ];
  for (const [code, failures, retryMs, random, expected] of rows)
    it(`${code}, failure ${failures}, random ${random}, at most ${retryMs} ms: ${expected} ms`, () =>
      assert.equal(retryPauseMs(code, failures, retryMs, random), expected));
});
