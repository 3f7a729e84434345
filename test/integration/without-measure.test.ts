/** Excessively large or deep configurations are refused quickly, in one sentence. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../src/config/faults';
import { loadTopology } from '../../src/config/load';
import { thrownBy, faultsOf } from '../unit/config/parsing';

describe('an excessive configuration', () => {
  const many = (count: number, item: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => item(i)).join();
  const rows: readonly [string, () => string, RegExp][] = [
    [
      'of too many bytes',
      () => `{"cameras": []${' '.repeat(9_000_000)}}`,
      /^has more than 8388608 bytes, and is not read/,
    ],
    [
      'of too many characters of several bytes',
      () => `"${'é'.repeat(8_500_000)}"`,
      /^has more than 8388608 bytes/,
    ],
    [
      'of 2,000 levels',
      () => `{"cameras": ${'['.repeat(2000)}${']'.repeat(2000)}}`,
      /^is nested deeper than 32 levels at line 1, column 44;/,
    ],
    [
      'of levels that are never closed',
      () => '{"a":\n'.repeat(1_000_000),
      /^is nested deeper than 32 levels at line 33, column 1;/,
    ],
    [
      'of too many values',
      () => `{"cameras": [${many(300_000, () => '0')}]}`,
      /^holds more than 250000 values/,
    ],
    ['of too many keys', () => `{${many(300_000, (i) => `"k${i}":0`)}}`, /^holds more than 250000 values/],
  ];
  for (const [what, text, problem] of rows)
    it(`${what} is refused in one sentence, and not parsed`, () => {
      const [fault, ...others] = faultsOf(text());
      assert.deepEqual([fault?.path, others], ['$', []]);
      assert.match(fault?.problem ?? '', problem);
    });

  it('is not assumed because of brackets, quotes and commas in text', () => {
    const namespace = `[{"\\,`.repeat(1000);
    assert.deepEqual(
      faultsOf({ namespace, cameras: [] }).map(({ path: at }) => at),
      ['$.namespace'],
    );
  });

  it('gets its 36,000 faults listed quickly', () => {
    const entry = { url: 'rtsp://h/', rate: 'a', ratee: 1, x: 2, y: 3 };
    const cameras = Array.from({ length: 9000 }, (_, i) => ({ id: `c${i}`, ...entry }));
    const startedMs = performance.now();
    assert.equal(faultsOf({ cameras }).length, 36_000);
    // Takes a second; it took half a minute when each fault was compared with every other.
    assert.ok(performance.now() - startedMs < 12_000);
  });

  it('may have more faults than a call accepts arguments', () => {
    const keys = Object.fromEntries(Array.from({ length: 130_000 }, (_, i) => [`k${i}`, 0]));
    assert.equal(faultsOf({ ...keys, cameras: [] }).length, 130_000);
  });

  it('of unclosed references is scanned once', () => {
    const startedMs = performance.now();
    assert.deepEqual(faultsOf({ namespace: '${'.repeat(1_000_000), cameras: [] }).length, 1);
    assert.ok(performance.now() - startedMs < 12_000);
  });

  it('may have at most a hundred references in one text', () => {
    const environment = { A: 'a'.repeat(10_000) };
    const problems = faultsOf({ namespace: '${A}'.repeat(1_000_000), cameras: [] }, environment).map(
      ({ problem }) => problem,
    );
    assert.match(problems.join(), /^holds more than 100 references/);
  });

  it('cannot be a file that never ends', () => {
    const thrown = thrownBy(() => loadTopology('/dev/zero', {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.match(thrown.message, /has more than 8388608 bytes/);
  });
});
