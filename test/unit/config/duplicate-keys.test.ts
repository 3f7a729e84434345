/** A key written twice is named with its place: JSON itself would silently keep the last. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duplicateKeys } from '../../../src/config/duplicate-keys';

describe('keys written twice', () => {
  const rows: readonly [string, string, readonly string[]][] = [
    ['none in an empty object', '{}', []],
    [
      'none where the same key is in different objects',
      '{"a":{"x":1},"b":{"x":2},"c":[{"x":1},{"x":2}]}',
      [],
    ],
    ['at the top', '{"a":1,\n"b":2,\n"a":3}', ['$.a']],
    ['in a list', '{"cameras":[{"id":"x"},{"id":"y","id":"z"}]}', ['$.cameras[1].id']],
    ['thrice', '{"a":1,"a":2,"a":3}', ['$.a', '$.a']],
    ['written differently', '{"a":1,"\\u0061":2}', ['$.a']],
    ['behind an object of the same name', '{"a":{"a":1},"a":2}', ['$.a']],
    ['with a slash in it', '{"a/b":1,"a/b":2}', ['$["a/b"]']],
  ];
  for (const [what, text, paths] of rows)
    it(what, () =>
      assert.deepEqual(
        duplicateKeys(text).map(({ path }) => path),
        paths,
      ),
    );

  it('are reported with the line of the second', () =>
    assert.match(duplicateKeys('{"a":1,\n"a":2}')[0]?.problem ?? '', /line 2;/));
});
