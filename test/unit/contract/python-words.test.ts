/** The terms of the contract are the same in the Python kit: it refuses a message with any other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { CLOCKS, FRAME_FORMATS } from '../../../src/contract/frame';
import { REMOVALS } from '../../../src/contract/message';
import { VERDICTS } from '../../../src/contract/verdict';

const KIT = path.resolve(__dirname, '../../../clients/python/src/vigil_consumer');

describe('the Python kit', () => {
  const text = ['keys.py', 'contract.py']
    .map((name) => readFileSync(path.join(KIT, name), 'utf8'))
    .join('\n');
  for (const [name, words] of Object.entries({ FRAME_FORMATS, CLOCKS, VERDICTS, REMOVALS }))
    it(`has the same ${name}`, () => {
      const [, listed = ''] = new RegExp(`^${name} = \\((.*)\\)$`, 'm').exec(text) ?? [];
      assert.deepEqual(
        [...listed.matchAll(/"([^"]*)"/g)].map(([, word]) => word),
        [...words],
      );
    });
});
