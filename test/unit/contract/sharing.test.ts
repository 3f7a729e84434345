/** The script by which services share a picture is one, in whichever language a kit is written. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SHARE_SCRIPT } from '../../../src/contract/sharing';

test('the Python kit has the script of the contract, letter by letter', () => {
  const file = path.resolve(__dirname, '../../../clients/python/src/vigil_consumer/sharing.py');
  const [, script] = readFileSync(file, 'utf8').match(/^SHARE_SCRIPT = """(.*?)"""/ms) ?? [];
  assert.equal(script, SHARE_SCRIPT);
});
