/** A file that is not JSON, and the places of faults in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonPath, placeOfPointer, type Place } from '../../../src/config/paths';
import { errorOf, topologyOf, SECRET, faultsOf } from './parsing';

describe('text that is not JSON', () => {
  const rows: readonly [string, string, number, number][] = [
    ['a comma too many in an object', '{"cameras": [],}', 1, 15],
    ['a comma too many in a list', '{"cameras": [\n  {"id": "a", "test": "testsrc2"},\n]}', 2, 34],
    ['a forgotten comma', '{\n  "redis": "embedded"\n  "cameras": []\n}', 3, 3],
    ['a forgotten comma between cameras', '{"cameras": [\n{"id": "a"}\n{"id": "b"}]}', 3, 1],
    ['a forgotten colon', '{\n"cameras" []}', 2, 11],
    ['a word that is none', '{"cameras": [],\n "redis": tru }', 2, 11],
    ['single quotes', "{'cameras': []}", 1, 2],
    ['a raw line end within a string', '{"cameras": ["a\nb"]}', 1, 14],
    ['a raw tab within a string', '{"cameras": ["a\tb"]}', 1, 14],
    ['an escape that is none', '{"cameras": ["\\x41"]}', 1, 14],
    ['a number with a leading zero', '{"cameras": [], "frames": {"expireMs": 05}}', 1, 41],
    ['text behind the end', '{"cameras": []}\n\n  x', 3, 3],
    ['a comment that is not closed', '{\n  /* the gate\n  "cameras": []\n}', 2, 3],
    ['a comment that is none', '{\n  # the gate\n  "cameras": []\n}', 2, 3],
    ['text that ends too early', '{"cameras": [', 1, 14],
    ['nothing at all', '', 1, 1],
    ['a fault behind a byte order mark', '\uFEFF{"cameras" []}', 1, 12],
    ['a fault behind lines of Windows', '{\r\n"cameras" []}', 2, 11],
  ];
  for (const [what, text, line, column] of rows)
    it(`${what} is named with its place`, () => {
      const faults = faultsOf(text);
      assert.equal(faults.length, 1);
      assert.equal(faults[0]?.path, '$');
      const { problem } = faults[0];
      assert.match(problem, /^is not JSON: /);
      assert.match(problem, new RegExp(`line ${line}, column ${column}(?!\\d)`));
    });

  const comments: readonly [string, string][] = [
    ['above, beside and below', '// a\n{ /* b */ "cameras": [] // c\r\n}\n// d'],
    ['with quotes, commas and apostrophes', `{ // don't, "x\n "cameras": [] /* " , } */ }`],
    [
      'with brackets beyond measure',
      `/* ${'['.repeat(100)} */ { // ${'{,'.repeat(30_000)}\n "cameras": [] }`,
    ],
    ['of many lines', `{ /*\n *\n **/ "cameras": [] }`],
    ['that looks like the end of another', '{ // */\n "cameras": [] }'],
  ];
  for (const [what, text] of comments)
    it(`a comment ${what} is left out`, () => assert.equal(topologyOf(text).cameras.length, 0));

  it('two slashes in a string are not a comment', () =>
    assert.equal(topologyOf('{"cameras": [{"id": "a", "url": "rtsp://h/*b*/"}]}').cameras.length, 1));

  it('a fault after comments has its own place', () => {
    const [fault] = faultsOf('// a\n{ /* b\n */ "cameras" [] }');
    assert.match(fault?.problem ?? '', /line 3, column 15/);
  });

  it('a byte order mark at the beginning is not a fault', () =>
    assert.equal(topologyOf('\uFEFF{"cameras": []}').cameras.length, 0));

  it('the text itself is not repeated: it holds passwords', () => {
    for (const text of [
      `{"cameras": [{"id": "a", "url": "rtsp://u:${SECRET}@h/",}]}`,
      `{"cameras": [{"id": "a", "password": "${SECRET}"]}`,
      `{"cameras": [{"id": "a", "password": ${SECRET}}]}`,
      `{"cameras": [{"id": "a", "password": "${SECRET}`,
      `"${SECRET}`,
    ])
      assert.doesNotMatch(errorOf(text).message, new RegExp(SECRET));
  });
});

describe('jsonPath', () => {
  const rows: readonly [Place, string][] = [
    [[], '$'],
    [['cameras', 3, 'rate'], '$.cameras[3].rate'],
    [['a/b', 'c~d', 'e~1f'], '$["a/b"]["c~d"]["e~1f"]'],
    [['//'], '$["//"]'],
    [['frames', '0'], '$.frames["0"]'],
    [['a.b', 'c d', '', 'e"f', 'größe', 'x-y'], '$["a.b"]["c d"][""]["e\\"f"].größe.x-y'],
  ];
  for (const [place, expected] of rows)
    it(`writes ${JSON.stringify(place)} as ${expected}`, () => assert.equal(jsonPath(place), expected));

  it('treats digits in a pointer as an index only in a list', () => {
    const value = { list: [{ '0': 1 }], 'a/b': { '1': 2 } };
    assert.equal(jsonPath(placeOfPointer('/list/0/0', value)), '$.list[0]["0"]');
    assert.equal(jsonPath(placeOfPointer('/a~1b/1', value)), '$["a/b"]["1"]');
  });
});
